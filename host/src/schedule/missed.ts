import { tickAfter, ticksBefore } from '../workflow/cron.ts';
import type { ScheduleDefinition } from '../workflow/definition.ts';

/** Ticks that `catch_up: "all"` makes up for at most, the newest. */
export const MAX_CAUGHT_UP = 100;

/**
 * Which ticks after `last` and up to `now` are still to be fired, oldest first, when nobody was there to fire them: none of them, the newest, or
 * all, as the schedule says.
 */
export function missedTicks(schedule: ScheduleDefinition, last: number, now: number): readonly number[] {
  if (schedule.catch_up === 'none') return [];
  const first = tickAfter(schedule.cron, schedule.timezone, last);
  if (first === null || first > now) return [];
  const count = schedule.catch_up === 'one' ? 1 : MAX_CAUGHT_UP;
  return ticksBefore(schedule.cron, schedule.timezone, now, count)
    .filter((tick) => tick > last)
    .toReversed();
}
