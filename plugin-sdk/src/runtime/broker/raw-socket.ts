import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Host, parseHost, showHost } from '../../contract/index.ts';
import type { Report } from './circuits.ts';
import type { Dialer } from './dial.ts';
import { type BrokerError, egressDenied, fromNetworkFailure, invalidCall, isNetworkFailure } from './errors.ts';
import type { Fence } from './fence.ts';
import type { EgressRecord } from './record.ts';

/** Largest chunk that one read answers with, in bytes. */
const MAX_READ_BYTES = 64 * 1024;

export interface RawSocketOptions {
  readonly dialer: Dialer;
  readonly fence: Fence;
  readonly host: Host;
  readonly port: number;
  readonly secureTransport: 'on' | 'off' | 'starttls';
  /** The granted entry that let it through. */
  readonly rule: string;
  /** Throws CIRCUIT_OPEN where the host is left alone. */
  enter(): Report;
  record(record: EgressRecord): void;
  /** Called once, when the connection is gone or could not be made. */
  onGone(): void;
}

/** A connection of `ctx.connect`. What arrives waits in the socket until it is asked for, so a slow reader holds back its peer. */
export class RawSocket {
  readonly #options: RawSocketOptions;
  readonly #target: string;
  readonly #startedAt = performance.now();
  readonly #release: () => void;
  #socket: Socket;
  readonly #address: string;
  #reading = false;
  #writable = true;
  #canUpgrade: boolean;
  #error: BrokerError | null = null;
  #gone = false;
  /** The plain socket of an upgraded connection: whoever still reads it is at its end. */
  #retired: Socket | null = null;

  /**
   * Connects, or throws EGRESS_DENIED or NETWORK_ERROR after writing the record of the failed attempt. When the fence falls the socket is destroyed, with what it
   * has not sent; reads and writes in flight reject.
   */
  static async open(options: RawSocketOptions): Promise<RawSocket> {
    const { host, port, secureTransport, fence } = options;
    const startedAt = performance.now();
    let report: Report | null = null;
    try {
      report = options.enter();
      const target = { host, port, secure: secureTransport === 'on', allowHalfOpen: true };
      const { socket, address } = await options.dialer.dial(target, fence);
      report('good');
      return new RawSocket(options, socket, address);
    } catch (error) {
      const failure = fromNetworkFailure(`${showHost(host.host)}:${port}`, error);
      report?.(isNetworkFailure(failure) ? 'bad' : 'none');
      options.record({
        kind: 'tcp',
        method: null,
        host: host.host,
        port,
        address: null,
        rule: failure.rule ?? options.rule,
        status: null,
        bytesSent: 0,
        bytesReceived: 0,
        durationMs: performance.now() - startedAt,
        error: failure.data,
      });
      options.onGone();
      throw failure;
    }
  }

  private constructor(options: RawSocketOptions, socket: Socket, address: string) {
    this.#options = options;
    this.#target = `${showHost(options.host.host)}:${options.port}`;
    this.#socket = socket;
    this.#address = address;
    this.#canUpgrade = options.secureTransport === 'starttls';
    this.#watch(socket);
    this.#release = options.fence.onClose((reason) => this.destroy(reason));
  }

  /** `address:port` of the peer. */
  get remoteAddress(): string {
    return `${showHost(this.#address)}:${this.#options.port}`;
  }

  /** Whether nothing of it is open any more. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The next bytes; `null` when the peer has ended. */
  async read(): Promise<Uint8Array | null> {
    if (this.#reading) throw invalidCall('the socket is being read already');
    this.#reading = true;
    try {
      const socket = this.#socket;
      for (;;) {
        if (socket === this.#retired) return null;
        const chunk = this.#take(socket);
        if (chunk !== null) return chunk;
        if (this.#error !== null) throw this.#error;
        if (socket.readableEnded || socket.destroyed) return null;
        await readable(socket);
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Resolves when the operating system has taken the bytes. */
  async write(data: Uint8Array): Promise<void> {
    this.#options.fence.check();
    if (this.#error !== null) throw this.#error;
    if (!this.#writable) throw invalidCall('the socket was ended for writing');
    if (this.#socket.destroyed) throw fromNetworkFailure(this.#target, { code: 'ECONNRESET' });
    await this.#flushed((done) => this.#socket.write(data, done));
  }

  /** Ends the writing direction; the peer can still be read. */
  async end(): Promise<void> {
    if (!this.#writable || this.#socket.destroyed) return;
    this.#options.fence.check();
    this.#writable = false;
    await this.#flushed((done) => this.#socket.end(done));
  }

  /**
   * Continues over TLS. Bytes that the peer sent before the handshake are refused: whoever can write to the plain connection would
   * else speak with the authority of the secured one.
   */
  async startTls(serverName: string | null): Promise<void> {
    if (!this.#canUpgrade)
      throw invalidCall('only a socket opened with secureTransport "starttls" can be upgraded, once');
    const name = serverName === null ? this.#options.host : parseHost(serverName);
    if (name === null) throw invalidCall('the server name of the upgrade is not a host name');
    this.#options.fence.check();
    if (this.#error !== null) throw this.#error;
    this.#canUpgrade = false;
    const plain = this.#socket;
    if (plain.readableLength > 0) {
      const failure = egressDenied(
        showHost(this.#options.host.host),
        'it sent unencrypted data where TLS was to begin',
        'starttls-injection',
      );
      this.destroy(failure);
      throw failure;
    }
    this.#retired = plain;
    plain.emit('upgrading');
    plain.off('close', this.#onClose);
    try {
      const secured = await this.#options.dialer.upgrade(plain, name, this.#options.port, this.#options.fence);
      this.#socket = secured;
      this.#watch(secured);
    } catch (error) {
      const failure = fromNetworkFailure(this.#target, error);
      this.destroy(failure);
      throw failure;
    }
  }

  /** Closes both directions; what was written before still goes out. */
  close(): void {
    this.#writable = false;
    // The fence stays in force until the last byte is out and the socket is closed.
    this.#socket.destroySoon();
  }

  /** Ends it at once: nothing is written any more. */
  destroy(reason: BrokerError): void {
    this.#error ??= reason;
    this.#socket.destroy();
    this.#finish();
  }

  #take(socket: Socket): Uint8Array | null {
    const waiting = socket.readableLength;
    const chunk = socket.read(waiting === 0 ? undefined : Math.min(waiting, MAX_READ_BYTES)) as Buffer | null;
    // A copy of its own: a small chunk shares its memory with others.
    return chunk === null ? null : new Uint8Array(chunk);
  }

  #flushed(write: (done: (error?: Error | null) => void) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      const onClose = () => settle(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      const settle = (error?: Error | null) => {
        socket.off('close', onClose);
        if (error == null) resolve();
        else reject(this.#error ?? fromNetworkFailure(this.#target, error));
      };
      socket.once('close', onClose);
      write(settle);
    });
  }

  #watch(socket: Socket): void {
    socket.on('error', (error) => {
      this.#error ??= fromNetworkFailure(this.#target, error);
    });
    socket.once('close', this.#onClose);
  }

  readonly #onClose = (): void => this.#finish();

  #finish(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#release?.();
    const { host, port, rule } = this.#options;
    this.#options.record({
      kind: 'tcp',
      method: null,
      host: host.host,
      port,
      address: this.#address,
      rule,
      status: null,
      bytesSent: this.#socket.bytesWritten,
      bytesReceived: this.#socket.bytesRead,
      durationMs: performance.now() - this.#startedAt,
      error: this.#error?.data ?? null,
    });
    this.#options.onGone();
  }
}

/** Resolves when a read may give something, or never will. */
function readable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error', 'upgrading'];
    const settle = () => {
      for (const event of events) socket.off(event, settle);
      resolve();
    };
    for (const event of events) socket.on(event, settle);
  });
}
