import { type JsonObject, type JsonValue, parseHost, type Permissions } from '../../contract/index.ts';
import type { BrokerAnswer, BrokerCall, ConnectHead } from '../protocol/broker.ts';
import type { BrokerReply } from '../protocol/engine.ts';
import { readCall } from './call-check.ts';
import type { Circuits, Report } from './circuits.ts';
import type { ConnectionPool } from './connections.ts';
import type { Dialer } from './dial.ts';
import { BrokerError, egressDenied, invalidCall, unusableAnswer } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { type CloseReason, Fence } from './fence.ts';
import { brokerFetch, type HttpPowers } from './fetch.ts';
import { Grants } from './grants.ts';
import { ByteMask } from './mask-stream.ts';
import { Placeholders } from './placeholders.ts';
import { RawSocket } from './raw-socket.ts';
import type { EgressRecord } from './record.ts';
import { type PluginStorage, ScopedStorage } from './storage.ts';

export interface SessionOptions {
  readonly tenantId: string;
  readonly plugin: string;
  /** What the admin granted, templates unresolved. */
  readonly granted: Permissions;
  /** The credential's real values, or null. */
  readonly credential: JsonObject | null;
  /** The manifest's `credential`. Null: every value counts as secret. */
  readonly credentialSchema: JsonObject | null;
  readonly secrets: 'placeholder' | 'value';
  /** W3C `traceparent` of the call's span, sent on with each request; a function gives each request a span of its own. */
  readonly traceparent: string | (() => string);
  /** `performance.now()` of this process, in milliseconds: from then on everything is refused, also before `close`. */
  readonly deadline: number;
  /** Called once per outgoing request or connection, when it has finished or was refused. Must not throw. */
  readonly onEgress: (record: EgressRecord) => void;
}

/** What a session has done so far. */
export interface SessionStats {
  readonly requests: number;
  readonly connections: number;
  readonly refused: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** The host's powers that sessions share. */
export interface SessionPowers {
  readonly pool: ConnectionPool;
  readonly dialer: Dialer;
  readonly circuits: Circuits;
  readonly storage: PluginStorage;
}

/** Requests in flight and bodies not read to their end, per session. */
const MAX_BODIES = 128;
const MAX_SOCKETS = 64;
/** Calls that wait for their answer, per session. */
const MAX_CALLS = 1024;
/** Bytes of request bodies and socket writes that wait in the host's memory, per session. */
const MAX_SENDING_BYTES = 64 * 1024 * 1024;

/** The broker for one call of an action. Parts that a call does not use are not made. */
export class BrokerSession {
  readonly #options: SessionOptions;
  readonly #powers: SessionPowers;
  readonly #fence: Fence;
  #waiting: Set<(reply: BrokerReply) => void> | null = null;
  #grants: Grants | null = null;
  #placeholders: Placeholders | null | undefined;
  #http: HttpPowers | null = null;
  #storage: ScopedStorage | null = null;
  #bodies: Map<number, Exchange> | null = null;
  #sockets: Map<number, RawSocket> | null = null;
  #fetching = 0;
  #sending = 0;
  /** Connections that are being made or not yet closed, those included that still flush. */
  #liveSockets = 0;
  #nextHandle = 1;
  readonly #stats = { requests: 0, connections: 0, refused: 0, bytesSent: 0, bytesReceived: 0 };

  constructor(options: SessionOptions, powers: SessionPowers) {
    this.#options = options;
    this.#powers = powers;
    this.#fence = new Fence(options.deadline, options.tenantId);
  }

  /** The credential as the connector may see it: placeholders for `writeOnly` values, unless the bundle has `secrets: "value"`. */
  get credential(): JsonValue {
    return this.#secrets === null ? this.#options.credential : this.#secrets.credential;
  }

  get stats(): SessionStats {
    return { ...this.#stats };
  }

  /** Does what a call asks. Never rejects; when the session is closed meanwhile, it answers at once. */
  handle(call: BrokerCall): Promise<BrokerReply> {
    return new Promise((resolve) => {
      const waiting = (this.#waiting ??= new Set());
      const settle = (reply: BrokerReply) => {
        waiting.delete(settle);
        resolve(reply);
      };
      if (waiting.size >= MAX_CALLS) {
        resolve(failed(invalidCall(`more than ${MAX_CALLS} calls wait for their answer`)));
        return;
      }
      waiting.add(settle);
      this.#perform(call).then(
        (value) => settle({ ok: true, value }),
        (error: unknown) => settle(failed(error)),
      );
    });
  }

  /**
   * The fence: destroys every request and socket, answers what is waiting, and refuses everything from now on. Nothing is written to
   * any socket of the session once this has returned.
   */
  close(reason: CloseReason): void {
    this.#fence.close(reason);
    const reply = failed(this.#fence.closed);
    for (const settle of this.#waiting ?? []) settle(reply);
    this.#bodies?.clear();
    this.#sockets?.clear();
  }

  async #perform(unchecked: unknown): Promise<BrokerAnswer> {
    this.#fence.check();
    const call = readCall(unchecked);
    const bytes = sentBytes(call);
    if (this.#sending + bytes > MAX_SENDING_BYTES)
      throw invalidCall(
        `a call sends at most ${MAX_SENDING_BYTES / 1024 / 1024} MB at once; wait for what is on its way`,
      );
    this.#sending += bytes;
    try {
      return await this.#answer(call);
    } finally {
      this.#sending -= bytes;
    }
  }

  async #answer(call: BrokerCall): Promise<BrokerAnswer> {
    switch (call.op) {
      case 'fetch':
        return await this.#fetch(call);
      case 'body.read':
        return await this.#readBody(call.body);
      case 'body.cancel':
        return this.#cancelBody(call.body);
      case 'connect':
        return await this.#connect(call);
      case 'socket.read':
        return await this.#readSocket(call.socket);
      case 'socket.write':
        await this.#socket(call.socket).write(call.data);
        return null;
      case 'socket.end':
        await this.#socket(call.socket).end();
        return null;
      case 'socket.starttls':
        return await this.#startTls(call.socket, call.serverName);
      case 'socket.close':
        this.#sockets?.get(call.socket)?.close();
        this.#sockets?.delete(call.socket);
        return null;
      case 'storage.get':
        return await this.#store().get(call.key);
      case 'storage.set':
        return await this.#store().set(call.key, call.value);
      case 'storage.delete':
        return await this.#store().delete(call.key);
      case 'storage.list':
        return await this.#store().list(call.prefix);
      default:
        throw new TypeError(`no such operation: ${JSON.stringify(call satisfies never)}`);
    }
  }

  async #fetch({ request }: BrokerCall & { op: 'fetch' }): Promise<BrokerAnswer> {
    if (this.#fetching + (this.#bodies?.size ?? 0) >= MAX_BODIES)
      throw invalidCall(
        `a call has at most ${MAX_BODIES} requests and unread bodies at once; read or cancel the bodies`,
      );
    this.#fetching++;
    try {
      return await brokerFetch(request, (this.#http ??= this.#httpPowers()));
    } finally {
      this.#fetching--;
    }
  }

  async #readBody(id: number): Promise<Uint8Array | null> {
    const exchange = this.#bodies?.get(id);
    if (exchange?.body == null) return null;
    if (exchange.body.reading) throw invalidCall('the body is being read already');
    try {
      const chunk = await exchange.body.read();
      if (chunk === null) this.#bodies?.delete(id);
      return chunk;
    } catch (error) {
      this.#bodies?.delete(id);
      throw error;
    }
  }

  #cancelBody(id: number): null {
    const exchange = this.#bodies?.get(id);
    this.#bodies?.delete(id);
    exchange?.discard(unusableAnswer('the body was cancelled', {}));
    return null;
  }

  async #connect({ host: asked, port, secureTransport }: BrokerCall & { op: 'connect' }): Promise<ConnectHead> {
    const host = parseHost(asked);
    if (host === null)
      throw egressDenied(JSON.stringify(asked.slice(0, 253)), 'it is not a host name or address', 'host-name');
    const record = (entry: EgressRecord) => this.#record(entry);
    const rule = this.#allowed(host.host, port, record, () => this.#grantsOf().forConnection(host, port).text);
    if (this.#liveSockets >= MAX_SOCKETS)
      throw invalidCall(`a call has at most ${MAX_SOCKETS} connections at once; close some`);
    const sockets = (this.#sockets ??= new Map());
    if (sockets.size >= MAX_SOCKETS) for (const [id, socket] of sockets) if (socket.gone) sockets.delete(id);
    this.#liveSockets++;
    const onGone = () => this.#liveSockets--;
    const { dialer } = this.#powers;
    const socket = await RawSocket.open({
      enter: () => this.#enter(host.host, port),
      dialer,
      fence: this.#fence,
      host,
      port,
      secureTransport,
      rule,
      record,
      onGone,
    });
    this.#fence.check();
    const id = this.#nextHandle++;
    sockets.set(id, socket);
    return { socket: id, remoteAddress: socket.remoteAddress, localAddress: '' };
  }

  async #readSocket(id: number): Promise<Uint8Array | null> {
    const socket = this.#socket(id);
    try {
      return await socket.read();
    } finally {
      if (socket.gone) this.#sockets?.delete(id);
    }
  }

  /** The upgraded connection gets a number of its own, so that what is still asked of the plain one cannot reach it. */
  async #startTls(id: number, serverName: string | null): Promise<ConnectHead> {
    const socket = this.#socket(id);
    await socket.startTls(serverName);
    this.#fence.check();
    this.#sockets?.delete(id);
    const upgraded = this.#nextHandle++;
    this.#sockets?.set(upgraded, socket);
    return { socket: upgraded, remoteAddress: socket.remoteAddress, localAddress: '' };
  }

  #socket(id: number): RawSocket {
    const socket = this.#sockets?.get(id);
    if (socket === undefined) throw invalidCall('the socket is not open');
    return socket;
  }

  #store(): ScopedStorage {
    const { tenantId, plugin, granted } = this.#options;
    if (this.#storage !== null) return this.#storage;
    const ended = new AbortController();
    this.#fence.onClose((reason) => ended.abort(reason));
    const scope = { tenantId, plugin, deadline: this.#fence.deadline, signal: ended.signal };
    return (this.#storage = new ScopedStorage(this.#powers.storage, scope, granted.storage === true));
  }

  #grantsOf(): Grants {
    return (this.#grants ??= new Grants(this.#options.granted, this.#options.credential));
  }

  get #secrets(): Placeholders | null {
    if (this.#placeholders !== undefined) return this.#placeholders;
    const { credential, credentialSchema, secrets } = this.#options;
    this.#placeholders =
      credential === null || secrets === 'value' ? null : new Placeholders(credentialSchema, credential);
    return this.#placeholders;
  }

  #httpPowers(): HttpPowers {
    const placeholders = this.#secrets;
    const { traceparent } = this.#options;
    return {
      fence: this.#fence,
      pool: this.#powers.pool,
      enter: (host, port) => this.#enter(host, port),
      grants: this.#grantsOf(),
      placeholders,
      mask: placeholders === null ? null : ByteMask.of(placeholders.secrets),
      traceparent: typeof traceparent === 'string' ? () => traceparent : traceparent,
      record: (record) => this.#record(record),
      keepBody: (exchange) => {
        this.#fence.check();
        const id = this.#nextHandle++;
        (this.#bodies ??= new Map()).set(id, exchange);
        return id;
      },
    };
  }

  /** Runs a permission check; a refusal is recorded like the connection that it prevented. */
  #allowed(host: string, port: number, record: (entry: EgressRecord) => void, check: () => string): string {
    try {
      return check();
    } catch (error) {
      if (error instanceof BrokerError)
        record({
          kind: 'tcp',
          method: null,
          host,
          port,
          address: null,
          rule: error.rule ?? 'not-granted',
          status: null,
          bytesSent: 0,
          bytesReceived: 0,
          durationMs: 0,
          error: error.data,
        });
      throw error;
    }
  }

  #enter(host: string, port: number): Report {
    const { tenantId, plugin } = this.#options;
    return this.#powers.circuits.enter(tenantId, plugin, host, port);
  }

  #record(record: EgressRecord): void {
    const stats = this.#stats;
    if (record.kind === 'http') stats.requests++;
    else stats.connections++;
    if (record.error?.code === 'EGRESS_DENIED') stats.refused++;
    stats.bytesSent += record.bytesSent;
    stats.bytesReceived += record.bytesReceived;
    this.#options.onEgress(record);
  }
}

function sentBytes(call: BrokerCall): number {
  if (call.op === 'fetch') return call.request.body?.byteLength ?? 0;
  return call.op === 'socket.write' ? call.data.byteLength : 0;
}

/** An error as a reply. What is not a broker's own error is a bug of ours: nothing of it is told to a connector. */
function failed(error: unknown): BrokerReply {
  if (error instanceof BrokerError) return { ok: false, error: error.data };
  return { ok: false, error: { code: 'CONNECTOR_ERROR', message: 'the broker could not do this', retryable: false } };
}
