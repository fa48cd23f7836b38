import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for the answers before theirs; a client that sends more ahead is cut off. */
const MAX_WAITING = 64;

/**
 * Handles the requests of a connection one after the other, each when the system has taken the answer before. Node hands over all requests that arrived
 * together: answers of 1,300 pipelined requests would lie in memory for a client that reads none of them.
 */
export function inTurn(listener: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, { last: ServerResponse; waiting: number }>();
  return (req, res) => {
    const { socket } = req;
    const line = lines.get(socket);
    if (line === undefined) {
      lines.set(socket, { last: res, waiting: 0 });
      listener(req, res);
      return;
    }
    const before = line.last;
    line.last = res;
    if (before.writableFinished || before.destroyed) {
      listener(req, res);
    } else if (line.waiting >= MAX_WAITING) {
      socket.destroy();
    } else {
      line.waiting += 1;
      before.once('close', () => {
        line.waiting -= 1;
        if (!socket.destroyed) listener(req, res);
      });
    }
  };
}
