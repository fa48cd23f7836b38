import type { Socket } from 'node:net';
import type { Client } from 'undici';
import { type Host, showHost } from '../../contract/index.ts';
import type { Dialer } from './dial.ts';
import type { Fence } from './fence.ts';

/** Unused connections kept per origin. */
const MAX_IDLE_PER_ORIGIN = 64;

/** One HTTP/1.1 connection with the undici client that speaks on it. It carries one request at a time and never reconnects. */
export interface HttpConnection {
  readonly origin: string;
  readonly client: Client;
  readonly socket: Socket;
  readonly address: string;
  /** Whether an earlier request used it: the server may have closed it in the meantime. */
  used: boolean;
}

export interface HttpTarget {
  readonly secure: boolean;
  readonly host: Host;
  readonly port: number;
}

/**
 * Connections to origins, kept alive between requests. Each was made through the dialer, so its address was checked; which plugin
 * may use it is checked per request, before it is taken.
 */
export class ConnectionPool {
  readonly #dialer: Dialer;
  readonly #idle = new Map<string, HttpConnection[]>();
  #closed = false;

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  /** A connection to the origin: a kept one unless `fresh`, else a new one. */
  async take(target: HttpTarget, fence: Fence, fresh: boolean): Promise<HttpConnection> {
    const origin = originOf(target);
    const kept = fresh ? null : this.#takeIdle(origin);
    if (kept !== null) return kept;
    // undici is loaded with the first request: it is a tenth of a second that the host's start does not have to wait for.
    const { clientOn } = await import('./client.ts');
    const { socket, address } = await this.#dialer.dial({ ...target, alpn: ['http/1.1'], allowHalfOpen: false }, fence);
    const connection = { origin, socket, address, used: false, client: clientOn(origin, socket) };
    socket.once('close', () => this.#forget(connection));
    return connection;
  }

  /** Keeps a connection for the next request, when it is still good for one. */
  release(connection: HttpConnection): void {
    const { origin, socket, client } = connection;
    if (this.#closed || socket.destroyed || client.destroyed) return;
    connection.used = true;
    const idle = this.#idle.get(origin) ?? [];
    if (idle.length >= MAX_IDLE_PER_ORIGIN) {
      socket.destroy();
      return;
    }
    idle.push(connection);
    this.#idle.set(origin, idle);
  }

  /** Closes every unused connection; those in use end with their request. */
  close(): void {
    this.#closed = true;
    for (const idle of this.#idle.values()) for (const { socket } of idle) socket.destroy();
    this.#idle.clear();
  }

  #takeIdle(origin: string): HttpConnection | null {
    const idle = this.#idle.get(origin) ?? [];
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop())
      if (!connection.socket.destroyed && connection.socket.writable) return connection;
    return null;
  }

  #forget(connection: HttpConnection): void {
    const idle = this.#idle.get(connection.origin);
    const index = idle?.indexOf(connection) ?? -1;
    if (idle === undefined || index < 0) return;
    idle.splice(index, 1);
    if (idle.length === 0) this.#idle.delete(connection.origin);
  }
}

function originOf({ secure, host, port }: HttpTarget): string {
  return `${secure ? 'https' : 'http'}://${showHost(host.host)}:${port}`;
}
