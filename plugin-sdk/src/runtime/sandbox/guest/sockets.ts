import type { SocketAddress, SocketOptions } from '../../../contract/context.ts';
import type { ConnectHead } from '../../protocol/broker.ts';
import { streamOf } from './body.ts';
import { copyBytes, isBufferSource, utf8 } from './bytes.ts';
import type { GuestCall } from './calls.ts';
import { type ReadableStream, WritableStream } from './streams.ts';
import { URL } from './url.ts';
import { textOf } from './text.ts';

type Transport = 'on' | 'off' | 'starttls';
interface SocketInfo {
  readonly remoteAddress: string;
  readonly localAddress: string;
}

/** Made by `connect` only. */
const FROM_PLATFORM = {};

/** A connection as in the WinterTC sockets API; what it does goes to the broker, one chunk at a time. */
export class Socket {
  readonly #call: GuestCall;
  readonly #head: Promise<ConnectHead>;
  readonly #transport: Transport;
  readonly #host: string;
  readonly #halfOpen: boolean;
  readonly #upgraded: boolean;
  readonly #opened: Promise<SocketInfo>;
  readonly #closed = Promise.withResolvers<void>();
  #readable: ReadableStream<Uint8Array> | null = null;
  #writable: WritableStream<Uint8Array> | null = null;
  /** The connection went on as another Socket. */
  #handedOver = false;
  #ending: Promise<void> | null = null;

  constructor(
    token: unknown,
    call: GuestCall,
    head: Promise<ConnectHead>,
    host: string,
    transport: Transport,
    options: { readonly halfOpen: boolean; readonly upgraded: boolean },
  ) {
    if (token !== FROM_PLATFORM) throw new TypeError('a Socket cannot be constructed: use connect');
    this.#call = call;
    this.#head = head;
    this.#host = host;
    this.#transport = transport;
    this.#halfOpen = options.halfOpen;
    this.#upgraded = options.upgraded;
    this.#opened = head.then(({ remoteAddress, localAddress }) => ({ remoteAddress, localAddress }));
    this.#opened.catch((error: unknown) => this.#closed.reject(error));
    // A connector that looks at neither promise learns of the failure where it reads or writes.
    this.#closed.promise.catch(() => {});
  }

  get opened(): Promise<SocketInfo> {
    return this.#opened;
  }
  get closed(): Promise<void> {
    return this.#closed.promise;
  }
  get upgraded(): boolean {
    return this.#upgraded;
  }
  get secureTransport(): Transport {
    return this.#transport;
  }

  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= streamOf({
      next: () => this.#read(),
      cancel: () => void this.close().catch(() => {}),
    });
    return this.#readable;
  }

  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= new WritableStream<Uint8Array>({
      write: (chunk) => this.#write(chunk),
      close: () => this.#endWriting(),
      abort: () => this.close(),
    });
    return this.#writable;
  }

  close(): Promise<void> {
    this.#ending ??= this.#close();
    return this.#ending;
  }

  startTls(options: { readonly expectedServerHostname?: string } = {}): Socket {
    if (this.#transport !== 'starttls') throw new TypeError('startTls needs a socket with secureTransport "starttls"');
    if (this.#handedOver) throw new TypeError('startTls has been called already');
    this.#handedOver = true;
    const named = options?.expectedServerHostname;
    const serverName = named === undefined ? this.#host : textOf(named);
    const head = this.#head.then(({ socket }) => this.#call.ask({ op: 'socket.starttls', socket, serverName }));
    head.then(
      () => this.#closed.resolve(),
      () => this.#closed.resolve(),
    );
    return new Socket(FROM_PLATFORM, this.#call, head, this.#host, 'on', { halfOpen: this.#halfOpen, upgraded: true });
  }

  async #read(): Promise<Uint8Array | null> {
    const socket = await this.#number();
    const chunk = await this.#watched(this.#call.ask({ op: 'socket.read', socket }));
    if (chunk === null && !this.#halfOpen) void this.close().catch(() => {});
    return chunk;
  }

  async #write(chunk: unknown): Promise<void> {
    const bytes = typeof chunk === 'string' ? utf8(chunk) : isBufferSource(chunk) ? copyBytes(chunk) : null;
    if (bytes === null) throw new TypeError('a socket takes bytes (Uint8Array)');
    const socket = await this.#number();
    await this.#watched(this.#call.ask({ op: 'socket.write', socket }, bytes));
  }

  async #endWriting(): Promise<void> {
    const socket = await this.#number();
    await this.#watched(this.#call.ask({ op: 'socket.end', socket }));
  }

  async #number(): Promise<number> {
    if (this.#handedOver) throw new TypeError('the connection went on over TLS: use the socket that startTls gave');
    return (await this.#head).socket;
  }

  /** A failure of the connection is also that of `closed`. */
  async #watched<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#closed.reject(error);
      throw error;
    }
  }

  async #close(): Promise<void> {
    if (!this.#handedOver) {
      const { socket } = await this.#head;
      await this.#call.ask({ op: 'socket.close', socket });
    }
    this.#closed.resolve();
  }

  get [Symbol.toStringTag](): string {
    return 'Socket';
  }
}

/** Opens a connection; returns at once, `opened` tells when it stands. Throws a TypeError for an address that is none. */
export function connectFor(call: GuestCall, address: SocketAddress, options: SocketOptions = {}): Socket {
  call.refuseIfOver();
  const { host, port } = readAddress(address);
  const transport = options?.secureTransport ?? 'off';
  if (transport !== 'on' && transport !== 'off' && transport !== 'starttls') {
    throw new TypeError(`secureTransport is "on", "off" or "starttls", got "${transport as string}"`);
  }
  const head = call.ask({ op: 'connect', host, port, secureTransport: transport });
  return new Socket(FROM_PLATFORM, call, head, host, transport, {
    halfOpen: options?.allowHalfOpen === true,
    upgraded: false,
  });
}

function readAddress(address: SocketAddress): { readonly host: string; readonly port: number } {
  if (typeof address === 'string') {
    const url = URL.parse(`tcp://${address}`);
    if (url === null || url.port === '') throw new TypeError(`"${address}" is not an address like "host:port"`);
    return { host: unbracketed(url.hostname), port: Number(url.port) };
  }
  const host = textOf(address.hostname);
  const port = Math.trunc(address.port);
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TypeError(
      `a socket address has a hostname and a port from 1 to 65535, got "${host}" and "${address.port}"`,
    );
  }
  return { host: unbracketed(host), port };
}

function unbracketed(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
