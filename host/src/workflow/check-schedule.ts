import type { Problem } from '../core/errors.ts';
import type { CompiledParameters } from '../params/parameters.ts';
import { checkCron } from './cron.ts';
import type { ScheduleDefinition } from './definition.ts';

/** A schedule fires with nobody there to mend it, so that everything is found when it is saved: the pattern, the time zone, the parameters. */
export function checkSchedule(schedule: ScheduleDefinition, parameters: CompiledParameters): readonly Problem[] {
  const wrong = checkCron(schedule.cron, schedule.timezone);
  const problems: Problem[] =
    wrong === null ? [] : [{ pointer: `/schedule/${wrong.field}`, message: wrong.message, keyword: wrong.field }];
  const preset = schedule.parameters ?? {};
  problems.push(...parameters.apply(preset, '/schedule/parameters').problems);
  for (const name of Object.keys(preset)) {
    if (!parameters.secretNames.has(name)) continue;
    problems.push({
      pointer: `/schedule/parameters/${name}`,
      message: `"${name}" is secret, and a workflow is no place for a secret; use a credential`,
      keyword: 'secret',
    });
  }
  return problems;
}
