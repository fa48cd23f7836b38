import { connect as connectTcp, type Socket } from 'node:net';
import tls, { type SecureContext, type TLSSocket } from 'node:tls';
import { type Host, showHost } from '../../contract/index.ts';
import { checkAddress } from './address.ts';
import { egressDenied, fromNetworkFailure, networkError } from './errors.ts';
import type { Fence } from './fence.ts';
import type { AddressGuard, OpenAddress } from './guard.ts';

/** Longest time from the first DNS question to the end of the TLS handshake, in milliseconds; the call's own deadline may be sooner. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface DialTarget {
  readonly host: Host;
  readonly port: number;
  readonly secure: boolean;
  /** Protocols offered in the TLS handshake. */
  readonly alpn?: readonly string[];
  readonly allowHalfOpen: boolean;
}

export interface Dialed {
  readonly socket: Socket;
  readonly address: string;
}

/** Opens TCP and TLS connections to checked addresses only: the one place where a socket of the broker begins. */
export class Dialer {
  readonly #guard: AddressGuard;
  readonly #ca: readonly string[];
  #secureContext: SecureContext | null = null;

  constructor(guard: AddressGuard, ca: readonly string[]) {
    this.#guard = guard;
    this.#ca = ca;
  }

  /**
   * Connects, or throws EGRESS_DENIED, NETWORK_ERROR, or the reason of the fence when that falls first; nothing is left open when it throws. From when it returns, the socket is the
   * caller's to register with the fence, in the same turn of the microtask queue.
   */
  async dial(target: DialTarget, fence: Fence): Promise<Dialed> {
    return await this.#bounded(target.host, target.port, fence, async (own) => {
      const addresses = await this.#guard.addressesOf(target.host, target.port, fence);
      fence.check();
      const socket = own(await this.#tcp(target, addresses, own));
      const address = checkedPeer(socket, target.host, addresses);
      if (!target.secure) return { socket, address };
      const secured = await this.#handshake(socket, target.host, target.alpn ?? null, target.allowHalfOpen, own);
      return { socket: secured, address };
    });
  }

  /** Continues a plain connection over TLS; `name` is what its certificate has to be for. */
  async upgrade(socket: Socket, name: Host, port: number, fence: Fence): Promise<TLSSocket> {
    return await this.#bounded(name, port, fence, async (own) => {
      own(socket);
      return await this.#handshake(socket, name, null, true, own);
    });
  }

  #tcp(
    target: DialTarget,
    addresses: readonly OpenAddress[],
    own: <S extends Socket>(socket: S) => S,
  ): Promise<Socket> {
    // The name never reaches the resolver again: the look-up that Node makes is answered with the addresses that were checked.
    const [first] = addresses;
    const socket = connectTcp({
      host: target.host.kind === 'name' ? target.host.host : (first?.address ?? ''),
      port: target.port,
      noDelay: true,
      keepAlive: true,
      allowHalfOpen: target.allowHalfOpen,
      autoSelectFamily: true,
      lookup: (_name, options, answer) => {
        if (options.all === true) answer(null, [...addresses]);
        else answer(null, first?.address ?? '', first?.family);
      },
    });
    own(socket);
    return settled(socket, 'connect');
  }

  async #handshake(
    socket: Socket,
    name: Host,
    alpn: readonly string[] | null,
    allowHalfOpen: boolean,
    own: <S extends Socket>(socket: S) => S,
  ): Promise<TLSSocket> {
    this.#secureContext ??= tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ...(this.#ca.length > 0 && { ca: [...tls.getCACertificates('default'), ...this.#ca] }),
    });
    const options: tls.ConnectionOptions & { allowHalfOpen: boolean } = {
      socket,
      // An address is checked against the certificate's addresses, but is not a server name.
      host: name.host,
      ...(name.kind === 'name' && { servername: name.host }),
      ...(alpn !== null && { ALPNProtocols: [...alpn] }),
      secureContext: this.#secureContext,
      rejectUnauthorized: true,
      allowHalfOpen,
    };
    const secured = own(tls.connect(options));
    return await settled(secured, 'secureConnect');
  }

  /** Runs `work` with a time limit. What it `own`s is destroyed when it fails, runs out of time or the fence falls meanwhile. */
  async #bounded<T>(
    host: Host,
    port: number,
    fence: Fence,
    work: (own: <S extends Socket>(socket: S) => S) => Promise<T>,
  ): Promise<T> {
    const target = `${showHost(host.host)}:${port}`;
    const owned: Socket[] = [];
    let over: Error | null = null;
    const own = <S extends Socket>(socket: S): S => {
      socket.on('error', ignore);
      owned.push(socket);
      if (over !== null) socket.destroy();
      return socket;
    };
    const limit = Math.min(CONNECT_TIMEOUT_MS, fence.remaining());
    const interrupted = Promise.withResolvers<never>();
    const interrupt = (reason: Error) => {
      over ??= reason;
      for (const socket of owned) socket.destroy();
      interrupted.reject(reason);
    };
    const timer = setTimeout(() => {
      interrupt(
        networkError(`${target} could not be connected to within ${Math.ceil(limit / 1000)} s`, {
          host: target,
          cause: 'ETIMEDOUT',
        }),
      );
    }, limit);
    const release = fence.onClose(interrupt);
    try {
      const result = await Promise.race([work(own), interrupted.promise]);
      fence.check();
      return result;
    } catch (error) {
      over ??= error instanceof Error ? error : new Error('failed');
      for (const socket of owned) socket.destroy();
      throw fromNetworkFailure(target, error);
    } finally {
      clearTimeout(timer);
      release();
    }
  }
}

/** The address at the other end, which has to be one of those that were checked. */
function checkedPeer(socket: Socket, host: Host, addresses: readonly OpenAddress[]): string {
  const peer = checkAddress(socket.remoteAddress ?? '');
  if (peer !== null && addresses.some((one) => one.address === peer.address)) return peer.address;
  throw egressDenied(
    showHost(host.host),
    'the connection went to an address that was not checked',
    'address:unchecked',
  );
}

function settled<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}

/** Errors are taken where the socket is used; without any listener they would end the process. */
function ignore(): void {}
