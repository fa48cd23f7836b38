import type { AllowPrivate } from './allow-private.ts';
import { Circuits, type CircuitStats } from './circuits.ts';
import { ConnectionPool } from './connections.ts';
import { Dialer } from './dial.ts';
import { AddressGuard, type Resolve } from './guard.ts';
import { BrokerSession, type SessionOptions } from './session.ts';
import type { PluginStorage } from './storage.ts';

export { type AllowPrivate, parseAllowPrivate } from './allow-private.ts';
export type { CircuitStats, OpenCircuit } from './circuits.ts';
export type { CloseReason } from './fence.ts';
export type { Resolve } from './guard.ts';
export type { EgressRecord } from './record.ts';
export type { BrokerSession, SessionOptions, SessionStats } from './session.ts';
export type { PluginStorage, StorageScope } from './storage.ts';

export interface BrokerOptions {
  /** Private addresses that plugins with a matching grant may reach: `parseAllowPrivate` of GOFLOW_EGRESS_ALLOW_PRIVATE. */
  readonly allowPrivate: AllowPrivate;
  readonly storage: PluginStorage;
  /** Gives the addresses of a name. Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** PEM certificates that are trusted besides the system's. */
  readonly ca?: readonly string[];
  /** Opens the connections. Default: to the network, guarded; a test puts a server of its own in its place. */
  readonly dialer?: Dialer;
}

/** Does for connectors what their sandbox cannot, within their grants: the only way from a connector to the network and to storage. */
export interface Broker {
  /** Begins the session of one call of an action; cheap. It has to be closed when the call is over. */
  open(options: SessionOptions): BrokerSession;
  /** Hosts that are left alone for a moment because they failed. */
  circuits(): CircuitStats;
  /** Closes connections that are kept for later requests. Sessions are closed by their owners. */
  close(): void;
}

export function createBroker(options: BrokerOptions): Broker {
  const dialer =
    options.dialer ?? new Dialer(new AddressGuard(options.allowPrivate, options.resolve), options.ca ?? []);
  const pool = new ConnectionPool(dialer);
  const circuits = new Circuits();
  return {
    open: (session) => new BrokerSession(session, { pool, dialer, circuits, storage: options.storage }),
    circuits: () => circuits.stats(),
    close: () => pool.close(),
  };
}
