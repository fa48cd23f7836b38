import path from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { LoadChecks } from './load-check.ts';
import { listBundles, readBundleFile } from './scan.ts';
import type { LoadedPlugin } from './types.ts';
import type { Verified } from './verify.ts';
import { watchFolders } from './watch.ts';

/**
 * The plugins directory: what is in it is what is offered, without a restart. Changes are noticed by watching, and by looking now and
 * then in case the watch missed one. A file counts once it has been quiet for a moment; one that cannot be read gets a second more, since
 * whoever copies it may not be done. At the start everything is offered at once and its code checked behind that; what comes later is
 * offered after its code was checked, so that a broken version never takes the place of a sound one.
 */
export interface PluginDirectory {
  /** By path relative to the directory. `order` counts up as files are taken. */
  files(): ReadonlyMap<string, FileOutcome>;
  /** Begins to watch, and to check code that was never checked. */
  start(): void;
  close(): void;
}

export type FileOutcome = { readonly order: number } & (
  | { readonly ok: true; readonly plugin: LoadedPlugin }
  | { readonly ok: false; readonly name: string | null; readonly version: string | null; readonly reason: string }
);

export interface PluginDirectoryOptions {
  readonly dir: string;
  readonly verify: (bytes: Uint8Array) => Verified;
  readonly toPlugin: (verified: Verified & { ok: true }) => LoadedPlugin;
  readonly checks: Pick<LoadChecks, 'passed' | 'check'>;
  /** Called after `files()` has changed. */
  readonly onChange: () => void;
  /** A load check that could not be made. */
  readonly onUnchecked: (file: string, error: unknown) => void;
}

/** A file that has not changed for so long is read. */
const QUIET_MS = 50;
/** A file that cannot be read is refused once it has not changed for so long. */
const PATIENCE_MS = 1000;
/** Between a sign of change and the look. */
const NOTICE_MS = 25;
/** Between looks without a sign: when everything is watched, and when not. */
const LOOK_WATCHED_MS = 10_000;
const LOOK_BLIND_MS = 1000;
/** Longest time that one look reads files, so that a thousand new ones do not hold up the host. */
const BUDGET_MS = 20;

type Result = { readonly ok: true; readonly plugin: LoadedPlugin } | Omit<FileOutcome & { ok: false }, 'order'>;

interface Slot {
  stamp: string;
  /** When this stamp was first seen, monotonic. */
  since: number;
  /** The stamp whose content was last tried, and the one that was taken. */
  tried: string | null;
  taken: string | null;
  outcome: FileOutcome | null;
}

export function openPluginDirectory(options: PluginDirectoryOptions): PluginDirectory {
  const slots = new Map<string, Slot>();
  let outcomes: ReadonlyMap<string, FileOutcome> = new Map();
  let orders = 0;
  let timer: NodeJS.Timeout | null = null;
  let due = Number.POSITIVE_INFINITY;
  let open = true;
  const watch = watchFolders(() => lookIn(NOTICE_MS));

  function publish(): void {
    const entries = [...slots].flatMap(([file, { outcome }]) => (outcome === null ? [] : [[file, outcome] as const]));
    outcomes = new Map(entries);
  }

  function read(file: string): Result {
    let bytes: Uint8Array;
    try {
      bytes = readBundleFile(path.join(options.dir, file));
    } catch (error) {
      return { ok: false, name: null, version: null, reason: messageOf(error) };
    }
    const verified = options.verify(bytes);
    return verified.ok ? { ok: true, plugin: options.toPlugin(verified) } : verified;
  }

  function take(slot: Slot, result: Result): void {
    const before = slot.outcome;
    // Which of two files with one name and version came first must not change when one is rewritten.
    const same = before?.ok === true && result.ok && versionOf(before.plugin) === versionOf(result.plugin);
    slot.outcome = { ...result, order: same ? before.order : orders++ };
  }

  function loadAll(): void {
    for (const [file, stamp] of listBundles(options.dir).files) {
      const slot: Slot = { stamp, since: performance.now(), tried: stamp, taken: stamp, outcome: null };
      slots.set(file, slot);
      take(slot, read(file));
    }
    publish();
  }

  /** Runs the code of a file once; `then` gets the result unless the file has changed meanwhile. */
  function check(
    file: string,
    slot: Slot,
    plugin: LoadedPlugin,
    urgent: boolean,
    then: (result: Result) => void,
  ): void {
    const { stamp } = slot;
    const settle = (result: Result): void => {
      if (!open || slots.get(file) !== slot || slot.taken !== stamp) return;
      then(result);
    };
    const { name, version } = plugin.manifest;
    options.checks.check(plugin, { urgent }).then(
      (reason) => settle(reason === null ? { ok: true, plugin } : { ok: false, name, version, reason }),
      (error: unknown) => {
        if (open) options.onUnchecked(file, error);
        settle({ ok: true, plugin });
      },
    );
  }

  function look(): void {
    const { files, folders } = listBundles(options.dir);
    const watched = folders.size > 0 && watch.update(folders);
    const began = performance.now();
    let again = watched ? LOOK_WATCHED_MS : LOOK_BLIND_MS;
    let changed = false;
    for (const file of slots.keys()) {
      if (files.has(file)) continue;
      changed = slots.get(file)?.outcome !== null || changed;
      slots.delete(file);
    }
    for (const [file, stamp] of files) {
      const slot = noticed(file, stamp, began);
      if (slot.taken === stamp) continue;
      const wait = slot.since + (slot.tried === stamp ? PATIENCE_MS : QUIET_MS) - performance.now();
      const spent = performance.now() - began > BUDGET_MS;
      if (wait > 0 || spent) {
        again = Math.min(again, spent ? 1 : wait);
        continue;
      }
      const result = read(file);
      if (!result.ok && slot.tried !== stamp) {
        slot.tried = stamp;
        again = Math.min(again, PATIENCE_MS);
        continue;
      }
      slot.taken = stamp;
      if (result.ok && !options.checks.passed(result.plugin)) {
        check(file, slot, result.plugin, true, (checked) => {
          take(slot, checked);
          publish();
          options.onChange();
        });
        continue;
      }
      take(slot, result);
      changed = true;
    }
    if (changed) {
      publish();
      options.onChange();
    }
    lookIn(again);
  }

  function noticed(file: string, stamp: string, at: number): Slot {
    let slot = slots.get(file);
    if (slot === undefined) slots.set(file, (slot = { stamp, since: at, tried: null, taken: null, outcome: null }));
    if (slot.stamp !== stamp) {
      slot.stamp = stamp;
      slot.since = at;
    }
    return slot;
  }

  /** Looks after `ms`, or earlier when that is already planned. */
  function lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (!open || at >= due) return;
    if (timer !== null) clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      timer = null;
      due = Number.POSITIVE_INFINITY;
      look();
    }, ms);
    timer.unref();
  }

  loadAll();
  return {
    files: () => outcomes,
    start() {
      for (const [file, slot] of slots) {
        if (slot.outcome?.ok !== true || options.checks.passed(slot.outcome.plugin)) continue;
        check(file, slot, slot.outcome.plugin, false, (checked) => {
          if (checked.ok) return;
          take(slot, checked);
          publish();
          options.onChange();
        });
      }
      look();
    },
    close() {
      open = false;
      if (timer !== null) clearTimeout(timer);
      watch.close();
    },
  };
}

function versionOf(plugin: LoadedPlugin): string {
  return `${plugin.manifest.name}@${plugin.manifest.version}`;
}
