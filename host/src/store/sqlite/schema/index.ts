import { INITIAL } from './001-initial.ts';
import { IDENTITY } from './002-identity.ts';
import { ENDING } from './003-ending.ts';
import { RUN_TRAIL } from './004-run-trail.ts';
import { SCHEDULES } from './005-schedules.ts';

/** Migration n brings a database from version n − 1 to n. What was released is never edited, only added to. */
export const MIGRATIONS: readonly string[] = [INITIAL, IDENTITY, ENDING, RUN_TRAIL, SCHEDULES];
