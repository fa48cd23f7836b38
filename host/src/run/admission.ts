/**
 * How many runs are in hand at once, and who is next: each tenant has its own queue and the tenants take turns, so that a busy one cannot
 * starve a quiet one. Places are given in the order of turns; a full queue refuses at once.
 */
export interface Admission {
  /** Takes a place if one is free and nobody waits; the caller gives it back with `release`. */
  tryEnter(): boolean;
  /** Whether a run of that tenant may still be queued. */
  hasRoom(tenantId: string): boolean;
  /** Queues; `start` is called with a place held. Returns a function that leaves the queue (false when already started). */
  enqueue(tenantId: string, start: () => void): () => boolean;
  release(): void;
  readonly running: number;
  readonly queued: number;
}

export interface AdmissionLimits {
  /** Runs in hand at once, over all tenants. */
  readonly running: number;
  /** Runs that one tenant may have waiting. */
  readonly queuedPerTenant: number;
}

interface Waiting {
  readonly start: () => void;
  left: boolean;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  // A Map keeps the order of turns: a tenant that was served is put back at the end.
  const queues = new Map<string, Waiting[]>();
  let running = 0;
  let queued = 0;

  function serve(): void {
    while (running < limits.running) {
      const next = takeNext();
      if (next === null) return;
      running += 1;
      next.start();
    }
  }

  function takeNext(): Waiting | null {
    for (const [tenantId, queue] of queues) {
      queues.delete(tenantId);
      let waiting = queue.shift();
      while (waiting?.left === true) waiting = queue.shift();
      if (queue.length > 0) queues.set(tenantId, queue);
      if (waiting === undefined) continue;
      queued -= 1;
      waiting.left = true;
      return waiting;
    }
    return null;
  }

  return {
    tryEnter() {
      if (running >= limits.running || queued > 0) return false;
      running += 1;
      return true;
    },
    hasRoom: (tenantId) => (queues.get(tenantId)?.length ?? 0) < limits.queuedPerTenant,
    enqueue(tenantId, start) {
      const waiting: Waiting = { start, left: false };
      const queue = queues.get(tenantId);
      if (queue === undefined) queues.set(tenantId, [waiting]);
      else queue.push(waiting);
      queued += 1;
      serve();
      return () => {
        if (waiting.left) return false;
        waiting.left = true;
        queued -= 1;
        return true;
      };
    },
    release() {
      running -= 1;
      serve();
    },
    get running() {
      return running;
    },
    get queued() {
      return queued;
    },
  };
}
