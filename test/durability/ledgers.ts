import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../support/host-process.ts';
import type { Acknowledged } from './client.ts';
import type { Sighting } from './witness.ts';

export interface Ledgers {
  /** What the client was told. */
  readonly acknowledged: readonly Acknowledged[];
  readonly keyed: ReadonlyMap<number, string>;
  /** What the API says in the end. */
  readonly runs: readonly Json[];
  /** What it says of each run that was answered as ended. */
  readonly whole: ReadonlyMap<string, Json>;
  /** What the service behind the connector saw. */
  readonly sightings: readonly Sighting[];
  /** Workflows whose action must not be run again. */
  readonly once: ReadonlySet<string>;
}

/** Joins the three ledgers; every entry of the answer is a broken promise. */
export function brokenPromises(ledgers: Ledgers): string[] {
  const runs = new Map(ledgers.runs.map((run) => [run.id as string, run]));
  return [
    ...acknowledgedRuns(ledgers, runs),
    ...ledgers.runs.flatMap((run) => ending(run, ledgers.once)),
    ...sightings(ledgers, runs),
    ...keys(ledgers),
  ];
}

function acknowledgedRuns({ acknowledged, whole }: Ledgers, runs: ReadonlyMap<string, Json>): string[] {
  return acknowledged.flatMap(({ run, ended }) => {
    if (!runs.has(run)) return [`lost: ${run} was acknowledged`];
    if (ended === null) return [];
    const found = whole.get(run);
    // `ending` may be added when the last of cut-off work is gone; nothing else of an ended run may change.
    const same = isDeepStrictEqual({ ...ended, ending: null }, { ...found, ending: null });
    return same ? [] : [`changed: ${run} had ended as ${JSON.stringify(ended)} and is now ${JSON.stringify(found)}`];
  });
}

function ending(run: Json, once: ReadonlySet<string>): string[] {
  if (run.finished_at === null) return [`unfinished: ${run.id} is ${run.status}`];
  if (run.status === 'succeeded') return [];
  if (run.status === 'failed' && run.error.code === 'INTERRUPTED' && once.has(run.workflow_id)) return [];
  return [`failed: ${run.id} ended as ${run.status}: ${JSON.stringify(run.error)}`];
}

function sightings({ sightings: seen, runs, once }: Ledgers, byId: ReadonlyMap<string, Json>): string[] {
  const broken: string[] = [];
  const steps = new Map<string, Sighting[]>();
  for (const one of seen) {
    const known = steps.get(`${one.run} ${one.step}`);
    if (known === undefined) steps.set(`${one.run} ${one.step}`, [one]);
    else known.push(one);
  }
  for (const [name, calls] of steps) {
    const run = byId.get(calls[0]?.run ?? '');
    // A run that was not acknowledged may be cut off before it was written, but never after it was begun.
    if (run === undefined) broken.push(`unknown: ${name} was begun, but the API has no such run`);
    else if (once.has(run.workflow_id) && calls.length > 1) broken.push(`twice: ${name} is not idempotent`);
    for (const [index, call] of calls.entries()) {
      const before = calls[index - 1];
      if (before === undefined) continue;
      if (call.key !== before.key) broken.push(`key: ${name} had ${before.key}, then ${call.key}`);
      if (call.attempt <= before.attempt)
        broken.push(`number: ${name} had attempt ${before.attempt}, then ${call.attempt}`);
      if (call.life === before.life && before.answer === 'ok')
        broken.push(`twice: ${name} was begun twice in life ${call.life} without an interruption`);
    }
  }
  for (const run of runs) {
    if (run.status !== 'succeeded') continue;
    for (const step of run.steps) {
      const last = steps.get(`${run.id} ${step.id}`)?.at(-1);
      if (last === undefined) broken.push(`unseen: ${run.id} succeeded, but its step ${step.id} was never begun`);
      else if (last.attempt !== step.attempt || last.key !== step.output.key)
        broken.push(`attempt: step ${step.id} of ${run.id} says ${step.attempt}, its service saw ${last.attempt}`);
    }
  }
  return broken;
}

function keys({ keyed, runs }: Ledgers): string[] {
  return [...keyed].flatMap(([n, run]) => {
    const made = runs.filter((one) => one.parameters.n === n);
    return made.length === 1 && made[0].id === run
      ? []
      : [`key: key-${n} answered ${run} and made ${made.map(({ id }) => id).join(', ')}`];
  });
}
