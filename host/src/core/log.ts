import pino from 'pino';
import type { Context } from './context.ts';

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

/** Lines of one event-loop turn are written together: a system call a line costs a tenth of a triggered run. */
const BUFFER_BYTES = 64 * 1024;

/** One JSON object a line. The only place that knows pino. */
export function createLogging(options: LogOptions): Logging {
  const { write } = options;
  const output =
    write === undefined
      ? pino.destination({ dest: 1, sync: true, minLength: BUFFER_BYTES, maxWrite: BUFFER_BYTES * 2 })
      : null;
  // Whoever reads the lines may go away; the runs go on.
  output?.on('error', () => undefined);
  let scheduled = false;
  // Not `flushSync`: that waits for the disk, too, where the output is a file.
  const writeOut = () => {
    scheduled = false;
    output?.flush();
  };
  const destination = {
    write(line: string): void {
      if (output === null) {
        write?.(line);
        return;
      }
      output.write(line);
      if (scheduled) return;
      scheduled = true;
      setImmediate(writeOut);
    },
  };
  const root = pino(
    {
      base: null,
      messageKey: 'msg',
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const children = new Map(
    COMPONENTS.map((component) => [
      component,
      root.child({ component }, { level: options.levels[component] ?? options.level }),
    ]),
  );
  const loggers = new Map(Array.from(children, ([component, child]) => [component, wrap(child)]));
  return {
    for: (component) => loggers.get(component) as Logger,
    levels: () =>
      Object.fromEntries(Array.from(children, ([component, child]) => [component, child.level])) as Record<
        Component,
        LogLevel
      >,
    setLevels(levels) {
      for (const [component, level] of Object.entries(levels)) {
        const child = children.get(component as Component);
        if (child !== undefined) child.level = level;
      }
    },
    flush: () => output?.flushSync(),
  };
}

// Lines of the same millisecond share their text: making it costs as much as all other fields of a line.
let stamped = 0;
let stamp = '';
function timestamp(): string {
  const now = Date.now();
  if (now !== stamped) {
    stamped = now;
    stamp = `,"timestamp":"${new Date(now).toISOString()}"`;
  }
  return stamp;
}

function wrap(child: pino.Logger): Logger {
  const log: Logger['log'] = (level, ctx, msg, fields) => {
    if (!child.isLevelEnabled(level)) return;
    child[level]({ ...contextFields(ctx), ...fields }, msg);
  };
  return {
    log,
    debug: (ctx, msg, fields) => log('debug', ctx, msg, fields),
    info: (ctx, msg, fields) => log('info', ctx, msg, fields),
    warn: (ctx, msg, fields) => log('warn', ctx, msg, fields),
    error: (ctx, msg, fields) => log('error', ctx, msg, fields),
    fatal: (ctx, msg, fields) => log('fatal', ctx, msg, fields),
    enabled: (level) => child.isLevelEnabled(level),
  };
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
