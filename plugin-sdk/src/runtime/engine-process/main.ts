import { Socket } from 'node:net';
import type { HostMessage } from '../protocol/engine.ts';
import { encodeBatch, FrameReader, PIPE_FD, TOKEN_BYTES } from '../protocol/frames.ts';
import { Outbox } from './outbox.ts';
import { readSettings } from './settings.ts';
import { Supervisor } from './supervisor.ts';

// Entry of the engine process. It has no rights but to read its own code and to start threads, and talks to the host over its
// pipe alone. It lives exactly as long as that: an exit would wait for threads that cannot be ended, SIGKILL does not.
const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
const end = (): boolean => process.kill(process.pid, 'SIGKILL');
pipe.on('close', end).on('error', end);
// The terminal's Ctrl-C reaches the whole process group; when to end is the host's decision.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

pipe.once('data', (first: Buffer) => {
  const hostToken = Buffer.from(first.subarray(0, TOKEN_BYTES));
  const token = Buffer.from(first.subarray(TOKEN_BYTES, 2 * TOKEN_BYTES));
  const outbox = new Outbox((batch) => {
    for (const frame of encodeBatch(batch, token)) pipe.write(frame);
  });
  const supervisor = new Supervisor(outbox, readSettings(process.argv[2]));
  const reader = new FrameReader(hostToken);
  const take = (chunk: Buffer): void => {
    for (const batch of reader.read(chunk)) supervisor.take(batch as HostMessage[]);
  };
  pipe.on('data', take);
  take(first.subarray(2 * TOKEN_BYTES));
  outbox.send({ type: 'ready' });
});
