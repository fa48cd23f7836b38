// An engine process that has been taken over: it speaks the protocol, and does what the input of a call says. `engine` in that text is the object below.
import { Socket } from 'node:net';
import { DefaultSerializer, deserialize } from 'node:v8';

const pipe = new Socket({ fd: 3, readable: true, writable: true });
pipe.on('error', () => undefined).on('close', () => process.kill(process.pid, 'SIGKILL'));
let token = null;
let rest = Buffer.alloc(0);

const engine = {
  pipe,
  get token() {
    return token;
  },
  frame(value, mark = token) {
    const serializer = new DefaultSerializer();
    serializer.writeHeader();
    serializer.writeValue(value);
    return engine.frameOf(serializer.releaseBuffer(), mark);
  },
  frameOf(payload, mark = token, length = payload.byteLength) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    return Buffer.concat([head, mark, payload]);
  },
  raw: (bytes) => pipe.write(bytes),
  say: (...messages) => pipe.write(engine.frame(messages)),
};

pipe.on('data', (chunk) => {
  rest = Buffer.concat([rest, chunk]);
  if (token === null) {
    token = rest.subarray(16, 32);
    rest = rest.subarray(32);
    engine.say({ type: 'ready' });
  }
  while (rest.byteLength >= 20 && rest.byteLength >= 20 + rest.readUInt32BE(0)) {
    const end = 20 + rest.readUInt32BE(0);
    const batch = deserialize(rest.subarray(20, end));
    rest = rest.subarray(end);
    for (const message of batch) take(message);
  }
});

function take(message) {
  if (message.type === 'ping') engine.say({ type: 'pong', id: message.id, stats: { rss: 1, pools: [] } });
  // oxlint-disable-next-line typescript/no-implied-eval -- it is the attacker.
  if (message.type === 'invoke') new Function('engine', 'key', JSON.parse(message.input))(engine, message.key);
}
