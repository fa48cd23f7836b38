import { FairQueue } from '@goflow/plugin-sdk/runtime';

/**
 * How many runs are in hand at once, and who is next: tenants take turns, and within a tenant its workflows do, so that a busy one cannot starve a quiet
 * one. A full queue refuses at once.
 */
export interface Admission {
  /** Takes a place if the tenant may have one now; the caller gives it back with `release`. */
  tryEnter(tenantId: string): boolean;
  /** Whether a run of that tenant may still be queued. */
  hasRoom(tenantId: string): boolean;
  /** Queues; `start` is called with a place held. Returns a function that leaves the queue (false when already started). */
  enqueue(tenantId: string, workflowId: string, start: () => void): () => boolean;
  release(tenantId: string): void;
  readonly running: number;
  readonly queued: number;
}

export interface AdmissionLimits {
  /** Runs in hand at once, over all tenants. */
  readonly running: number;
  /** Runs that one tenant may have waiting. */
  readonly queuedPerTenant: number;
}

/** What one tenant may have of all places: with slow runs in all of them, the others would wait for one of those to end. */
const TENANT_SHARE = 0.8;
/** Runs that may wait over all tenants, as a multiple of what one may have. */
const QUEUED_FACTOR = 5;

interface Waiting {
  readonly tenantId: string;
  readonly start: () => void;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  const runningPerTenant = Math.ceil(limits.running * TENANT_SHARE);
  const waiting = new FairQueue<Waiting>();
  /** Places held, per tenant. */
  const held = new Map<string, number>();
  let running = 0;

  const isAtLimit = (tenantId: string): boolean => (held.get(tenantId) ?? 0) >= runningPerTenant;

  function enter(tenantId: string): void {
    running += 1;
    held.set(tenantId, (held.get(tenantId) ?? 0) + 1);
  }

  function serve(): void {
    while (running < limits.running && waiting.size > 0) {
      const next = waiting.next(isAtLimit);
      if (next === null) return;
      waiting.serve(next);
      enter(next.tenantId);
      next.start();
    }
  }

  return {
    tryEnter(tenantId) {
      // With a place free, whoever waits is at its limit.
      if (running >= limits.running || isAtLimit(tenantId)) return false;
      enter(tenantId);
      return true;
    },
    hasRoom: (tenantId) =>
      waiting.sizeOf(tenantId) < limits.queuedPerTenant && waiting.size < limits.queuedPerTenant * QUEUED_FACTOR,
    enqueue(tenantId, workflowId, start) {
      const item: Waiting = { tenantId, start };
      waiting.add(tenantId, workflowId, item);
      serve();
      return () => waiting.delete(item);
    },
    release(tenantId) {
      running -= 1;
      const left = (held.get(tenantId) ?? 1) - 1;
      if (left === 0) held.delete(tenantId);
      else held.set(tenantId, left);
      serve();
    },
    get running() {
      return running;
    },
    get queued() {
      return waiting.size;
    },
  };
}
