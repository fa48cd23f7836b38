import type { ConnectHead, FetchHead } from '../runtime/protocol/broker.ts';
import type { Tap } from './tap.ts';

/**
 * What a call had open when it ended. A host closes all of it, so nothing of this does harm; it is work that nobody waits for.
 * Promises that nobody waits for cannot be counted: what they wait for (a timer, an answer) can.
 */
export interface Leaks {
  /** Timers of the connector's own that were still to go off. */
  readonly timers: number;
  /** Calls of `ctx.fetch`, `ctx.storage` and sockets that were not answered yet. */
  readonly calls: number;
  /** Answer bodies that were neither read to their end nor cancelled. */
  readonly bodies: number;
  /** Connections that were not closed. */
  readonly sockets: number;
}

/** Counts what a call opens and closes. */
export function watchLeaks(): { readonly tap: Tap; count(): Omit<Leaks, 'timers'> } {
  let calls = 0;
  const bodies = new Set<number>();
  const sockets = new Set<number>();
  const tap: Tap = async (call, next) => {
    calls += 1;
    const reply = await next(call);
    calls -= 1;
    switch (call.op) {
      case 'fetch': {
        const { body } = reply.ok ? (reply.value as FetchHead) : { body: null };
        if (body !== null) bodies.add(body);
        break;
      }
      case 'body.read':
        if (!reply.ok || reply.value === null) bodies.delete(call.body);
        break;
      case 'body.cancel':
        bodies.delete(call.body);
        break;
      case 'connect':
      case 'socket.starttls':
        if (call.op === 'socket.starttls') sockets.delete(call.socket);
        if (reply.ok) sockets.add((reply.value as ConnectHead).socket);
        break;
      case 'socket.close':
        sockets.delete(call.socket);
        break;
      default:
    }
    return reply;
  };
  return { tap, count: () => ({ calls, bodies: bodies.size, sockets: sockets.size }) };
}
