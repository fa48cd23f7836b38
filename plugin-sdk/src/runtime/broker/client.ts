import type { Socket } from 'node:net';
import { Client } from 'undici';

/** How long an unused connection is kept where the server says nothing, in milliseconds. */
const KEEP_ALIVE_MS = 4000;
/** The longest that a server may ask for. */
const MAX_KEEP_ALIVE_MS = 60_000;

/** The undici client that speaks HTTP/1.1 on a connection which was made already; it makes none itself. */
export function clientOn(origin: string, socket: Socket): Client {
  let taken = false;
  return new Client(origin, {
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    // The session's fence ends requests that take too long.
    headersTimeout: 0,
    bodyTimeout: 0,
    // undici forgets a request when its connector answers within the call.
    connect: (_options, callback) =>
      queueMicrotask(() => {
        if (taken || socket.destroyed) {
          callback(Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' }), null);
          return;
        }
        taken = true;
        callback(null, socket);
      }),
  });
}
