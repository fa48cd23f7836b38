import pino from 'pino';
import type { Context } from './context.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const COMPONENTS = [
  'host',
  'http',
  'auth',
  'store',
  'executor',
  'plugin',
  'sandbox',
  'broker',
  'scheduler',
] as const;
export type Component = (typeof COMPONENTS)[number];

/** Fields of a log line besides `timestamp`, `level`, `msg`, `component`; names as in docs/API.md, "Logs". */
export interface LogFields {
  readonly [name: string]: unknown;
}

export interface Logger {
  /** Logs with the fields of a context: trace, tenant, user, workflow, run. */
  log(level: LogLevel, ctx: Context | null, msg: string, fields?: LogFields): void;
  debug(ctx: Context | null, msg: string, fields?: LogFields): void;
  info(ctx: Context | null, msg: string, fields?: LogFields): void;
  warn(ctx: Context | null, msg: string, fields?: LogFields): void;
  error(ctx: Context | null, msg: string, fields?: LogFields): void;
  fatal(ctx: Context | null, msg: string, fields?: LogFields): void;
  enabled(level: LogLevel): boolean;
}

/** Gives each component its logger. */
export interface Logging {
  for(component: Component): Logger;
  /** The level of every component. */
  levels(): Readonly<Record<Component, LogLevel>>;
  /** Changes the levels of those that are named; holds from their next line on. */
  setLevels(levels: Partial<Record<Component, LogLevel>>): void;
  /** Writes out what is buffered; call it before the process ends. */
  flush(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly levels: Partial<Record<Component, LogLevel>>;
  /** Where the lines go; standard output when left out. */
  readonly write?: (line: string) => void;
}

/**
 * One JSON object a line. pino writes them (the only place that knows it); a line itself is made by one `JSON.stringify`, which takes a third of the
 * time and memory of serialising field by field (bench: `npm run bench`, three lines a triggered run).
 */
export function createLogging(options: LogOptions): Logging {
  const write = options.write ?? createLogWriter(1);
  const current = new Map(COMPONENTS.map((component) => [component, options.levels[component] ?? options.level]));
  const loggers = new Map(
    COMPONENTS.map((component) => {
      const enabled = (level: LogLevel) => WEIGHTS[level] >= WEIGHTS[current.get(component) as LogLevel];
      return [component, componentLogger(component, enabled, write)];
    }),
  );
  return {
    for: (component) => loggers.get(component) as Logger,
    levels: () => Object.fromEntries(current) as Record<Component, LogLevel>,
    setLevels(levels) {
      for (const component of COMPONENTS)
        current.set(component, levels[component] ?? (current.get(component) as LogLevel));
    },
    flush: () => (write as Partial<LogWriter>).flushSync?.(),
  };
}

const WEIGHTS: Readonly<Record<LogLevel, number>> = { ...(pino.levels.values as Record<LogLevel, number>) };

// Lines of the same millisecond share their text.
let stampedAt = 0;
let stamp = '';
function timestamp(): string {
  const now = Date.now();
  if (now !== stampedAt) {
    stampedAt = now;
    stamp = new Date(now).toISOString();
  }
  return stamp;
}

function componentLogger(component: Component, enabled: Logger['enabled'], write: (line: string) => void): Logger {
  const log: Logger['log'] = (level, ctx, msg, fields) => {
    if (enabled(level)) write(`${lineOf(component, level, ctx, msg, fields)}\n`);
  };
  return {
    log,
    debug: (ctx, msg, fields) => log('debug', ctx, msg, fields),
    info: (ctx, msg, fields) => log('info', ctx, msg, fields),
    warn: (ctx, msg, fields) => log('warn', ctx, msg, fields),
    error: (ctx, msg, fields) => log('error', ctx, msg, fields),
    fatal: (ctx, msg, fields) => log('fatal', ctx, msg, fields),
    enabled,
  };
}

function lineOf(component: Component, level: LogLevel, ctx: Context | null, msg: string, fields?: LogFields): string {
  const head = { timestamp: timestamp(), level, msg, component };
  try {
    return JSON.stringify({ ...head, ...contextFields(ctx), ...fields });
  } catch (error) {
    // A field that is no JSON must not cost the line.
    return JSON.stringify({ ...head, ...contextFields(ctx), 'log.error': String(error) });
  }
}

function contextFields(ctx: Context | null): LogFields {
  if (ctx === null) return {};
  const fields: Record<string, unknown> = {
    trace_id: ctx.traceId,
    span_id: ctx.spanId,
    tenant_id: ctx.tenantId,
    user_id: ctx.userId,
  };
  if (ctx.workflowId !== undefined) fields['workflow_id'] = ctx.workflowId;
  if (ctx.runId !== undefined) fields['run_id'] = ctx.runId;
  return fields;
}
