import type { ConnectorLogLevel } from '../../../contract/context.ts';
import { loggingCall } from './calls.ts';
import { formatLine, inspect } from './inspect.ts';
import { outer } from './outer.ts';
import { textOf } from './text.ts';

type Method = (...args: unknown[]) => void;

function writer(level: ConnectorLogLevel): Method {
  return (...args) => loggingCall()?.log(level, formatLine(args), undefined);
}

/** `console` writes to the log of the current run; without one it is silent. */
export function makeConsole(): Readonly<Record<string, Method>> {
  const counts = new Map<string, number>();
  const started = new Map<string, number>();
  const debug = writer('debug');
  const info = writer('info');
  const warn = writer('warn');
  return {
    debug,
    trace: debug,
    log: info,
    info,
    dir: (value) => info(inspect(value)),
    table: (value) => info(inspect(value)),
    group: info,
    groupCollapsed: info,
    groupEnd() {},
    warn,
    error: writer('error'),
    assert(condition, ...args) {
      if (!condition) warn('assertion failed:', ...args);
    },
    count(label = 'default') {
      const count = (counts.get(textOf(label)) ?? 0) + 1;
      counts.set(textOf(label), count);
      info(`${textOf(label)}: ${count}`);
    },
    countReset(label = 'default') {
      counts.delete(textOf(label));
    },
    time(label = 'default') {
      started.set(textOf(label), outer.now());
    },
    timeLog(label = 'default', ...args) {
      info(`${textOf(label)}: ${elapsed(textOf(label))} ms`, ...args);
    },
    timeEnd(label = 'default') {
      info(`${textOf(label)}: ${elapsed(textOf(label))} ms`);
      started.delete(textOf(label));
    },
    clear() {},
  };

  function elapsed(label: string): string {
    return (outer.now() - (started.get(label) ?? outer.now())).toFixed(3);
  }
}
