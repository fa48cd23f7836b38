import { performance } from 'node:perf_hooks';
import { showHost } from '../../contract/index.ts';
import { BrokerError } from './errors.ts';

/** How a request or connection went, as a sign of whether its host is there: `none` says nothing (refused, cancelled, cut off by a deadline). */
export type Health = 'good' | 'bad' | 'none';

/** Reports how it went; only the first report counts. `retryAfterMs`: how long the host asked to be left alone. */
export type Report = (health: Health, retryAfterMs?: number) => void;

export interface OpenCircuit {
  readonly tenantId: string;
  readonly plugin: string;
  readonly host: string;
  readonly port: number;
  /** Until the next request is let through, in milliseconds. */
  readonly retryAfterMs: number;
}

export interface CircuitStats {
  readonly open: readonly OpenCircuit[];
  /** How often one was opened, and how many requests were refused, since the start. */
  readonly opened: number;
  readonly refused: number;
}

/** Failures in a row that open a circuit: more than a flaky service has, fewer than a dead one should get. */
const FAILURES = 10;
/** How long it stays open, doubled with each probe that fails. */
const OPEN_MS = 2000;
const MAX_OPEN_MS = 60_000;
/** What a host can ask for with `Retry-After`. */
const MAX_ASKED_MS = 300_000;
/** Circuits that remember a failure; the one longest unused gives way. Hosts without failures are not remembered. */
const MAX_CIRCUITS = 10_000;

interface Circuit {
  readonly name: Omit<OpenCircuit, 'retryAfterMs'>;
  failures: number;
  openMs: number;
  /** Of `performance.now()`; 0: closed. */
  openUntil: number;
  probing: boolean;
}

/**
 * Circuit breakers, one for each tenant, plugin, host and port: when requests to a host fail one after the other, the following ones are refused at once, until
 * one of them is let through as a probe and succeeds (https://martinfowler.com/bliki/CircuitBreaker.html). One tenant's bad luck is not another's: a host may be
 * up for one and not for the other, as a credential or a path decides.
 */
export class Circuits {
  readonly #circuits = new Map<string, Circuit>();
  readonly #now: () => number;
  #opened = 0;
  #refused = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Lets a request through, or throws CIRCUIT_OPEN. Whoever was let through has to report. */
  enter(tenantId: string, plugin: string, host: string, port: number): Report {
    const key = `${tenantId}\n${plugin}\n${host}\n${port}`;
    const circuit = this.#circuits.get(key);
    const isProbe = circuit !== undefined && circuit.openUntil > 0;
    if (isProbe) {
      const left = circuit.openUntil - this.#now();
      if (left > 0 || circuit.probing) {
        this.#refused += 1;
        throw circuitOpen(host, port, Math.max(left, 100));
      }
      circuit.probing = true;
    }
    let reported = false;
    return (health, retryAfterMs = 0) => {
      if (reported) return;
      reported = true;
      this.#settle(key, { tenantId, plugin, host, port }, isProbe, health, retryAfterMs);
    };
  }

  stats(): CircuitStats {
    const now = this.#now();
    const open: OpenCircuit[] = [];
    for (const { name, openUntil } of this.#circuits.values()) {
      if (openUntil > 0) open.push({ ...name, retryAfterMs: Math.max(0, openUntil - now) });
    }
    return { open, opened: this.#opened, refused: this.#refused };
  }

  #settle(key: string, name: Circuit['name'], wasProbe: boolean, health: Health, retryAfterMs: number): void {
    const circuit = this.#circuits.get(key);
    if (wasProbe && circuit !== undefined) circuit.probing = false;
    if (health === 'good') this.#circuits.delete(key);
    if (health !== 'bad') return;
    const failing = circuit ?? { name, failures: 0, openMs: OPEN_MS, openUntil: 0, probing: false };
    // The latest to fail are the last to be forgotten.
    this.#circuits.delete(key);
    this.#circuits.set(key, failing);
    if (this.#circuits.size > MAX_CIRCUITS) this.#circuits.delete(this.#circuits.keys().next().value as string);
    failing.failures += 1;
    // What was on its way when it opened fails as well, and is no reason to wait longer.
    if (failing.openUntil > 0 && !wasProbe) return;
    if (failing.failures < FAILURES) return;
    if (failing.openUntil === 0) this.#opened += 1;
    const openMs = Math.max(failing.openMs, Math.min(retryAfterMs, MAX_ASKED_MS));
    failing.openUntil = this.#now() + openMs;
    failing.openMs = Math.min(failing.openMs * 2, MAX_OPEN_MS);
  }
}

function circuitOpen(host: string, port: number, leftMs: number): BrokerError {
  const target = `${showHost(host)}:${port}`;
  return new BrokerError(
    'CIRCUIT_OPEN',
    `${target} has failed ${FAILURES} times in a row and is left alone for a moment; it is tried again by itself`,
    { retryable: true, details: { host: target, retry_after_ms: Math.ceil(leftMs) } },
  );
}
