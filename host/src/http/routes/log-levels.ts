import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { GoflowError, validationError, type Problem } from '../../core/errors.ts';
import { COMPONENTS, LOG_LEVELS, type Component, type Logging, type LogLevel } from '../../core/log.ts';
import { ref } from '../openapi/schemas.ts';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { escapePointer, isObject, objectBody } from './input.ts';

const TAG = 'Operations';

/** Levels are those of the whole host, so that only who administers the whole host may look at them and change them. */
export const logLevelRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/log-levels',
    act: 'log-levels:read',
    hostWide: true,
    query: {},
    body: 'none',
    doc: {
      id: 'getLogLevels',
      tag: TAG,
      summary: 'Read the log level of each component',
      answers: { 200: ['The levels.', ref('LogLevels')] },
      problems: [],
    },
    handle: ({ logging }) => json(200, view(there(logging))),
  }),
  defineRoute({
    method: 'PUT',
    path: '/api/log-levels',
    act: 'log-levels:write',
    hostWide: true,
    query: {},
    body: 'json',
    audit: {
      action: 'log-levels.change',
      describe: (call) => ({ target: null, details: call.body as JsonObject }),
    },
    doc: {
      id: 'putLogLevels',
      tag: TAG,
      summary: 'Change log levels while the host runs',
      description:
        'Components that are not named keep their level. Holds until the host ends; `GOFLOW_LOG_LEVEL` and `GOFLOW_LOG_LEVELS` say with what it begins.',
      request: ref('LogLevelsBody'),
      answers: { 200: ['The levels as they are now.', ref('LogLevels')] },
      problems: [],
    },
    handle({ logging }, call) {
      const levels = there(logging);
      levels.setLevels(levelsOf(objectBody(call.body, ['levels'])['levels']));
      return json(200, view(levels));
    },
  }),
];

type Levels = Pick<Logging, 'levels' | 'setLevels'>;

function there(logging: Levels | undefined): Levels {
  if (logging === undefined) throw new GoflowError('NOT_FOUND', 'this host has no log levels to change');
  return logging;
}

function view(logging: Levels): { readonly levels: Readonly<Record<Component, LogLevel>> } {
  return { levels: logging.levels() };
}

function levelsOf(value: JsonValue | undefined): Partial<Record<Component, LogLevel>> {
  if (!isObject(value)) {
    const message = 'must be an object of components and levels, { "executor": "debug" } for one';
    throw validationError([{ pointer: '/levels', keyword: 'type', message }], 'the body');
  }
  const levels: Partial<Record<Component, LogLevel>> = {};
  const problems: Problem[] = [];
  for (const [name, wanted] of Object.entries(value).slice(0, COMPONENTS.length + 20)) {
    const pointer = `/levels/${escapePointer(name.slice(0, 200))}`;
    const component = COMPONENTS.find((known) => known === name);
    const level = LOG_LEVELS.find((known) => known === wanted);
    if (component === undefined)
      problems.push({ pointer, keyword: 'additionalProperties', message: `is not one of ${COMPONENTS.join(', ')}` });
    else if (level === undefined)
      problems.push({ pointer, keyword: 'enum', message: `must be one of ${LOG_LEVELS.join(', ')}` });
    else levels[component] = level;
  }
  if (problems.length > 0) throw validationError(problems, 'the body');
  return levels;
}
