import type { JsonValue } from '../contract/index.ts';
import type { BrokerCall } from '../runtime/protocol/broker.ts';
import { faultAt, FAULTS } from './faults.ts';
import type { OpenConnector, RunOptions } from './open-connector.ts';
import type { ActionOutcome } from './outcome.ts';
import type { Tap } from './tap.ts';
import type { Upstream } from './upstream.ts';

/** What one of many calls of the same action came to. */
export interface Swept {
  /** What was done to it: `cancelled at 2: GET https://…`, `deadline 12 ms`, `500 with HTML at 1`. */
  readonly what: string;
  readonly outcome: ActionOutcome;
}

/** A call that was cut short. */
export interface CutShort extends Swept {
  /**
   * Whether the work ended by itself, because it obeys `ctx.signal` or waits for what the host ends anyway. `false`: its thread had to
   * be ended, which costs other calls of the connector a new start.
   */
  readonly endedItself: boolean;
}

/**
 * Runs an action once to see where it waits for the host (answers, bodies, storage, sockets), then once for each of these places, and
 * cancels the run there. Waiting for timers is not seen.
 *
 * @example
 * for (const { what, outcome, endedItself } of await cancelAtEachAwait(connector, 'sync', { since: '2026-01-01' }))
 *   expect([what, outcome.status, endedItself]).toEqual([what, 'cancelled', true]);
 */
export async function cancelAtEachAwait(
  connector: OpenConnector,
  action: string,
  input: JsonValue = {},
  options: RunOptions = {},
): Promise<readonly CutShort[]> {
  const places: string[] = [];
  await connector.run(action, input, { ...options, tap: counting((call) => void places.push(describe(call))) });
  const swept: CutShort[] = [];
  for (const [index, place] of places.entries()) {
    const stop = new AbortController();
    let seen = 0;
    const tap = counting(() => {
      if (seen++ === index) stop.abort('cancelled');
    });
    swept.push(
      await cutShort(
        connector,
        action,
        input,
        { ...options, tap, signal: stop.signal },
        `cancelled at ${index + 1}: ${place}`,
      ),
    );
  }
  return swept;
}

/**
 * Runs an action with less and less time: all that it took, then half of it, and so on down to a millisecond. Each call has to succeed or
 * to be timed out; a connector that swallows its signal may also fail in a way of its own.
 */
export async function squeezeDeadline(
  connector: OpenConnector,
  action: string,
  input: JsonValue = {},
  options: RunOptions = {},
): Promise<readonly CutShort[]> {
  const { duration_ms: took } = await connector.run(action, input, options);
  const swept: CutShort[] = [];
  for (let timeoutMs = Math.max(2, Math.ceil(took)); timeoutMs >= 1; timeoutMs = Math.floor(timeoutMs / 2))
    swept.push(await cutShort(connector, action, input, { ...options, timeoutMs }, `deadline ${timeoutMs} ms`));
  return swept;
}

/** Runs an action with each fault in the place of each of its requests. `options.timeoutMs` (1 s) bounds those that get no answer. */
export async function eachFault(
  connector: OpenConnector,
  action: string,
  input: JsonValue,
  options: RunOptions & { readonly upstream: Upstream },
): Promise<readonly Swept[]> {
  let requests = 0;
  await connector.run(action, input, {
    ...options,
    timeoutMs: undefined,
    upstream: (request) => ((requests += 1), options.upstream(request)),
  });
  const swept: Swept[] = [];
  for (let at = 0; at < requests; at++) {
    for (const [name, fault] of Object.entries(FAULTS)) {
      const upstream = faultAt(at, fault, options.upstream);
      const outcome = await connector.run(action, input, { timeoutMs: 1000, ...options, upstream });
      swept.push({ what: `${name} at ${at + 1}`, outcome });
    }
  }
  return swept;
}

async function cutShort(
  connector: OpenConnector,
  action: string,
  input: JsonValue,
  options: RunOptions,
  what: string,
): Promise<CutShort> {
  const ended = Promise.withResolvers<number | null>();
  const outcome = await connector.run(action, input, { ...options, onEnded: ended.resolve });
  const wasCut = outcome.status === 'cancelled' || outcome.status === 'timed_out';
  return { what, outcome, endedItself: !wasCut || (await ended.promise) === null };
}

function counting(seen: (call: BrokerCall) => void): Tap {
  return (call, next) => {
    seen(call);
    return next(call);
  };
}

function describe(call: BrokerCall): string {
  if (call.op === 'fetch') return `${call.request.method} ${call.request.url.replace(/\?.*$/, '')}`;
  return 'key' in call ? `${call.op} ${call.key}` : call.op;
}
