import type { Socket } from 'node:net';

/** As much of a PostgreSQL server as one simple query needs: every query gives one row with one column. */
export function answerPostgres(socket: Socket): void {
  let greeted = false;
  socket.on('error', () => {});
  socket.on('data', (data: Buffer) => {
    if (!greeted) {
      greeted = true;
      socket.write(Buffer.concat([message('R', Buffer.from([0, 0, 0, 0])), READY]));
      return;
    }
    if (String.fromCharCode(data[0] ?? 0) !== 'Q') return;
    const column = Buffer.concat([
      Buffer.from('one\0'),
      Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]),
    ]);
    socket.write(
      Buffer.concat([
        message('T', Buffer.concat([Buffer.from([0, 1]), column])),
        message('D', Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 1]), Buffer.from('1')])),
        message('C', Buffer.from('SELECT 1\0')),
        READY,
      ]),
    );
  });
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.byteLength + 4, 1);
  return Buffer.concat([head, body]);
}

const READY = message('Z', Buffer.from('I'));
