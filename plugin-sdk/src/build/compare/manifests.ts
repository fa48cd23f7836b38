import semver from 'semver';
import { actionTimeoutMs, canonicalJson, effectiveLimits, type Manifest } from '../../contract/index.ts';
import { type Refusal, refusals } from './schemas.ts';

/** How much of the version a change needs, by https://semver.org. */
export type Step = 'major' | 'minor' | 'patch';

export interface Change {
  readonly step: Step;
  /** JSON Pointer into the manifest. */
  readonly pointer: string;
  readonly message: string;
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** The largest step of all changes; null: nothing has changed. */
  readonly step: Step | null;
  /** The smallest version that may carry these changes. */
  readonly needs: string;
  /** Whether the new version is high enough. */
  readonly enough: boolean;
}

const STEPS: readonly Step[] = ['patch', 'minor', 'major'];

/**
 * What has changed between two bundles of a connector for those who use it, and which version that needs. Below 1.0.0 a breaking
 * change needs a minor step, every other one a patch.
 */
export function compareManifests(before: Manifest, after: Manifest): Comparison {
  const changes = [...manifestChanges(before, after)];
  if (canonicalJson(before.digests) !== canonicalJson(after.digests))
    changes.push({ step: 'patch', pointer: '', message: 'code or texts have changed' });
  const step = changes.reduce<Step | null>(
    (most, change) => (most === null || STEPS.indexOf(change.step) > STEPS.indexOf(most) ? change.step : most),
    null,
  );
  const old = before.version;
  const needs = step === null ? old : nextVersion(old, step);
  return {
    changes: changes.sort((a, b) => STEPS.indexOf(b.step) - STEPS.indexOf(a.step)),
    step,
    needs,
    enough: step === null || semver.compare(stable(after.version), needs) >= 0,
  };
}

function nextVersion(version: string, step: Step): string {
  const early = semver.major(version) === 0;
  const effective = early ? (step === 'major' ? 'minor' : 'patch') : step;
  return semver.inc(stable(version), effective) ?? version;
}

/** A pre-release of 2.0.0 may hold what 2.0.0 may. */
function stable(version: string): string {
  return version.replace(/[-+].*$/, '');
}

function* manifestChanges(before: Manifest, after: Manifest): Generator<Change> {
  for (const [id, action] of Object.entries(before.actions)) {
    const now = Object.hasOwn(after.actions, id) ? after.actions[id] : undefined;
    const at = `/actions/${id}`;
    if (now === undefined) {
      yield { step: 'major', pointer: at, message: 'is gone: workflows that call it fail' };
      continue;
    }
    yield* taken(action.input ?? true, now.input ?? true, `${at}/input`);
    yield* promised(action.output ?? true, now.output ?? true, `${at}/output`);
    if ((action.idempotent ?? true) !== (now.idempotent ?? true)) {
      const message =
        now.idempotent === false ? 'an attempt that is cut off is not run again' : 'is run again when it is cut off';
      yield { step: 'minor', pointer: `${at}/idempotent`, message };
    }
    if (actionTimeoutMs(after, id) < actionTimeoutMs(before, id)) {
      const message = `calls may take ${actionTimeoutMs(after, id)} ms now, not ${actionTimeoutMs(before, id)}`;
      yield { step: 'minor', pointer: `${at}/timeout_ms`, message };
    }
  }
  for (const id of Object.keys(after.actions))
    if (!Object.hasOwn(before.actions, id)) yield { step: 'minor', pointer: `/actions/${id}`, message: 'is new' };
  yield* credentialChanges(before, after);
  yield* permissionChanges(before, after);
  if (effectiveLimits(after).memory_mb > effectiveLimits(before).memory_mb)
    yield { step: 'minor', pointer: '/limits/memory_mb', message: `needs ${effectiveLimits(after).memory_mb} MiB now` };
}

type Schema = Parameters<typeof refusals>[0];

/** An input: whoever gives what was right before must not be refused. */
function* taken(before: Schema, after: Schema, pointer: string): Generator<Change> {
  const broken = refusals(before, after, pointer);
  for (const at of broken) yield { step: 'major', pointer: at.pointer, message: at.given };
  if (broken.length === 0 && refusals(after, before, pointer).length > 0)
    yield { step: 'minor', pointer, message: 'takes more than before' };
}

/** An output: whoever relies on what was promised must still get it. */
function* promised(before: Schema, after: Schema, pointer: string): Generator<Change> {
  const tells = (found: readonly Refusal[]): readonly Refusal[] => found.filter(({ got }) => got !== '');
  const broken = tells(refusals(after, before, pointer));
  for (const at of broken) yield { step: 'major', pointer: at.pointer, message: at.got };
  if (broken.length === 0 && refusals(before, after, pointer).length > 0)
    yield { step: 'minor', pointer, message: 'promises more than before' };
}

function* credentialChanges(before: Manifest, after: Manifest): Generator<Change> {
  const pointer = '/credential';
  if (before.credential === undefined && after.credential !== undefined)
    yield { step: 'major', pointer, message: 'is needed now' };
  else if (before.credential !== undefined && after.credential === undefined)
    yield { step: 'minor', pointer, message: 'is not needed any more' };
  else if (before.credential !== undefined && after.credential !== undefined)
    yield* taken(before.credential, after.credential, pointer);
  if (before.secrets !== 'value' && after.secrets === 'value')
    yield { step: 'major', pointer: '/secrets', message: 'the connector sees the secrets themselves now' };
}

function* permissionChanges(before: Manifest, after: Manifest): Generator<Change> {
  for (const kind of ['net', 'connect'] as const) {
    const had = before.permissions?.[kind] ?? [];
    const has = after.permissions?.[kind] ?? [];
    const pointer = `/permissions/${kind}`;
    for (const entry of has.filter((one) => !had.includes(one)))
      yield {
        step: 'major',
        pointer,
        message: `asks for ${entry} now: an admin has to grant it before this version is used`,
      };
    for (const entry of had.filter((one) => !has.includes(one)))
      yield { step: 'patch', pointer, message: `asks for ${entry} no more` };
  }
  const stored = before.permissions?.storage === true;
  const stores = after.permissions?.storage === true;
  if (stores && !stored)
    yield { step: 'major', pointer: '/permissions/storage', message: 'is asked for now: an admin has to grant it' };
  if (stored && !stores) yield { step: 'patch', pointer: '/permissions/storage', message: 'is not asked for any more' };
}
