import type { JsonValue } from '../../contract/index.ts';

/**
 * What a connector may ask of the host, as plain data. Every call gets exactly one answer, or none once its run has ended.
 * Bodies and sockets are pulled: the connector asks for the next chunk, and that is the back-pressure.
 */
export type BrokerCall =
  /** Sends a request and waits for the head of its answer. */
  | { readonly op: 'fetch'; readonly request: FetchRequest }
  /** The next chunk of an answer body; `null` at its end. */
  | { readonly op: 'body.read'; readonly body: number }
  /** The connector does not want the rest of a body. */
  | { readonly op: 'body.cancel'; readonly body: number }
  /** Opens a TCP or TLS connection. */
  | {
      readonly op: 'connect';
      readonly host: string;
      readonly port: number;
      readonly secureTransport: 'on' | 'off' | 'starttls';
    }
  /** The next chunk that arrived; `null` when the peer has ended. */
  | { readonly op: 'socket.read'; readonly socket: number }
  /** Answers when the bytes were taken by the operating system. */
  | { readonly op: 'socket.write'; readonly socket: number; readonly data: Uint8Array }
  /** Ends the writing direction. */
  | { readonly op: 'socket.end'; readonly socket: number }
  /** Continues a `starttls` connection over TLS; answers after the handshake. */
  | { readonly op: 'socket.starttls'; readonly socket: number; readonly serverName: string | null }
  | { readonly op: 'socket.close'; readonly socket: number }
  | { readonly op: 'storage.get'; readonly key: string }
  | { readonly op: 'storage.set'; readonly key: string; readonly value: JsonValue }
  | { readonly op: 'storage.delete'; readonly key: string }
  | { readonly op: 'storage.list'; readonly prefix: string };

export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: Uint8Array | null;
  readonly redirect: 'follow' | 'error' | 'manual';
}

export interface FetchHead {
  readonly status: number;
  readonly statusText: string;
  /** The URL that answered, after redirects. */
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  /** The whole body where it was short and complete when the head was sent; saves a round trip. */
  readonly bytes: Uint8Array | null;
  /** Number to ask `body.read` with; `null` when there is no (further) body. */
  readonly body: number | null;
}

export interface ConnectHead {
  readonly socket: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
}

/** What each call is answered with. */
export interface BrokerAnswers {
  readonly fetch: FetchHead;
  readonly 'body.read': Uint8Array | null;
  readonly 'body.cancel': null;
  readonly connect: ConnectHead;
  readonly 'socket.read': Uint8Array | null;
  readonly 'socket.write': null;
  readonly 'socket.end': null;
  readonly 'socket.starttls': ConnectHead;
  readonly 'socket.close': null;
  /** JSON text, or `null` when there is no such key. */
  readonly 'storage.get': string | null;
  readonly 'storage.set': null;
  readonly 'storage.delete': null;
  readonly 'storage.list': readonly string[];
}

export type BrokerOp = BrokerCall['op'];
export type BrokerAnswer = BrokerAnswers[BrokerOp];
