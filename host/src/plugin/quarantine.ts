import { type Admission, CALL_OUTCOMES, type CallOutcomeKind } from './types.ts';

/**
 * Keeps a plugin that does nothing but get killed from costing every other one a restart: 5 kills within a minute that no sound end makes up for,
 * and its calls for that tenant are refused for 30 seconds. Then one call is let through as a probe: if it ends soundly (even with an error
 * of its own) the quarantine is over, if it has to be killed too the pause doubles, up to 10 minutes. Counted per tenant, because what
 * kills it is most often what that tenant feeds it.
 */

const KILLS = 5;
const WINDOW_MS = 60_000;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;
/** A probe whose end is never told is given up after this time … */
const PROBE_LEASE_MS = 60_000;
/** … and one that was cut off after this: that its thread had to be killed is told a little later. */
const CUT_OFF_LEASE_MS = 2000;
/** What callers are told to wait while a probe is under way. */
const PROBE_RETRY_MS = 1000;

export type Health = { readonly calls: number; readonly quarantined_for_ms: number } & {
  readonly [K in CallOutcomeKind]: number;
};

export interface Quarantine {
  admit(digest: string, tenantId: string): Admission;
  note(digest: string, tenantId: string, outcome: CallOutcomeKind): void;
  /** Whether every call is refused now; false once a probe would be let through. */
  refuses(digest: string, tenantId: string): boolean;
  /** Whether it is in quarantine: calls are refused, or a probe has yet to show that it is sound. */
  holds(digest: string, tenantId: string): boolean;
  health(digest: string, tenantId: string): Health;
  /** Ends the quarantine and forgets its kills; the counters stay. */
  lift(digest: string, tenantId: string): void;
  /** The same for every tenant. */
  liftAll(digest: string): void;
  /** Drops everything known of a digest. */
  forget(digest: string): void;
}

interface Ward {
  readonly counts: Record<CallOutcomeKind, number>;
  kills: number[];
  /** Length of the current pause; 0 when there is none. */
  pauseMs: number;
  until: number;
  probeUntil: number;
}

function newWard(): Ward {
  const counts = Object.fromEntries(CALL_OUTCOMES.map((kind) => [kind, 0])) as Record<CallOutcomeKind, number>;
  return { counts, kills: [], pauseMs: 0, until: 0, probeUntil: 0 };
}

/** `now` gives monotonic milliseconds. */
export function createQuarantine(now: () => number = () => performance.now()): Quarantine {
  const wards = new Map<string, Map<string, Ward>>();

  function find(digest: string, tenantId: string): Ward | undefined {
    return wards.get(digest)?.get(tenantId);
  }

  function wardOf(digest: string, tenantId: string): Ward {
    let tenants = wards.get(digest);
    if (tenants === undefined) wards.set(digest, (tenants = new Map()));
    let ward = tenants.get(tenantId);
    if (ward === undefined) tenants.set(tenantId, (ward = newWard()));
    return ward;
  }

  function release(ward: Ward): void {
    ward.kills = [];
    ward.pauseMs = 0;
    ward.until = 0;
    ward.probeUntil = 0;
  }

  function noteKill(ward: Ward, at: number): void {
    ward.kills = ward.kills.filter((earlier) => at - earlier < WINDOW_MS);
    ward.kills.push(at);
    const probing = ward.pauseMs > 0 && at >= ward.until;
    if (!probing && (ward.pauseMs > 0 || ward.kills.length < KILLS)) return;
    ward.pauseMs = probing ? Math.min(ward.pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
    ward.until = at + ward.pauseMs;
    ward.probeUntil = 0;
  }

  return {
    admit(digest, tenantId) {
      const ward = find(digest, tenantId);
      if (ward === undefined || ward.pauseMs === 0) return 'go';
      const at = now();
      if (at < ward.until) return { retryAfterMs: Math.ceil(ward.until - at) };
      if (at < ward.probeUntil) return { retryAfterMs: PROBE_RETRY_MS };
      ward.probeUntil = at + PROBE_LEASE_MS;
      return 'go';
    },
    note(digest, tenantId, outcome) {
      const ward = wardOf(digest, tenantId);
      ward.counts[outcome] += 1;
      const at = now();
      switch (outcome) {
        case 'killed':
        case 'out_of_memory':
        case 'crashed':
          noteKill(ward, at);
          break;
        case 'succeeded':
        case 'failed':
          if (ward.pauseMs === 0) ward.kills.shift();
          else if (at >= ward.until) release(ward);
          break;
        case 'timed_out':
        case 'cancelled':
          ward.probeUntil = Math.min(ward.probeUntil, at + CUT_OFF_LEASE_MS);
          break;
      }
    },
    refuses: (digest, tenantId) => now() < (find(digest, tenantId)?.until ?? 0),
    holds(digest, tenantId) {
      return (find(digest, tenantId)?.pauseMs ?? 0) > 0;
    },
    health(digest, tenantId) {
      const ward = find(digest, tenantId) ?? newWard();
      const calls = CALL_OUTCOMES.reduce((sum, kind) => sum + (kind === 'killed' ? 0 : ward.counts[kind]), 0);
      return { calls, ...ward.counts, quarantined_for_ms: Math.max(0, Math.ceil(ward.until - now())) };
    },
    lift(digest, tenantId) {
      const ward = find(digest, tenantId);
      if (ward !== undefined) release(ward);
    },
    liftAll(digest) {
      for (const ward of wards.get(digest)?.values() ?? []) release(ward);
    },
    forget(digest) {
      wards.delete(digest);
    },
  };
}
