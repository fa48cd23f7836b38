import { Cron } from 'croner';

/** A compiled pattern takes some 90 kB, so only those that are in use are kept. */
const KEPT = 64;
const compiled = new Map<string, Compiled>();

interface Compiled {
  readonly cron: Cron;
  /** The question asked last, and its answer: schedules of one pattern are asked one after the other. */
  after: number;
  tick: number | null;
}

/** Throws for a pattern that is none. */
function compile(pattern: string, timezone: string): Compiled {
  const key = `${timezone}\n${pattern}`;
  const known = compiled.get(key) ?? {
    cron: new Cron(pattern, { timezone, paused: true }),
    after: Number.NaN,
    tick: null,
  };
  compiled.delete(key);
  compiled.set(key, known);
  if (compiled.size > KEPT) compiled.delete(compiled.keys().next().value as string);
  return known;
}

/** The first tick after a moment; null when there is none. Milliseconds since the epoch, whole seconds. */
export function tickAfter(pattern: string, timezone: string, after: number): number | null {
  const known = compile(pattern, timezone);
  if (known.after !== after) {
    known.tick = known.cron.nextRun(new Date(after))?.getTime() ?? null;
    known.after = after;
  }
  return known.tick;
}

/** Up to `count` ticks up to and including a moment, newest first. */
export function ticksBefore(pattern: string, timezone: string, until: number, count: number): number[] {
  return compile(pattern, timezone)
    .cron.previousRuns(count, new Date(until + 1))
    .map((date) => date.getTime());
}

/** What is wrong with a schedule's pattern or time zone, for people; null when nothing is. */
export function checkCron(
  pattern: string,
  timezone: string,
): { readonly field: 'cron' | 'timezone'; readonly message: string } | null {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    return { field: 'timezone', message: `"${timezone}" is no IANA time zone, "Europe/Berlin" for one` };
  }
  try {
    if (tickAfter(pattern, timezone, Date.now()) === null)
      return { field: 'cron', message: `"${pattern}" never comes` };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return { field: 'cron', message: `is no cron pattern of 5 or 6 fields (seconds first): ${why}` };
  }
  return null;
}
