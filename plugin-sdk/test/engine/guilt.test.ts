import { expect, test } from 'vitest';
import { causeOfExit, judge, type DeathCause } from '../../src/runtime/engine/guilt.ts';

test.each<[DeathCause, number, number, string]>([
  ['stuck', 1, 1, 'rerun'],
  ['stuck', 5, 3, 'rerun-alone'],
  ['lost', 1, 1, 'rerun'],
  ['lost', 9, 2, 'rerun-alone'],
  ['crash', 1, 1, 'crashed'],
  ['crash', 2, 1, 'rerun-alone'],
  ['memory', 1, 1, 'out-of-memory'],
  ['memory', 2, 1, 'rerun-alone'],
  ['runaway', 1, 1, 'out-of-memory'],
  ['malformed', 1, 1, 'crashed'],
  ['unresponsive', 1, 1, 'rerun-alone'],
  ['unresponsive', 1, 2, 'crashed'],
  ['shutdown', 3, 1, 'interrupted'],
])('an engine that ended as %s with %i calls, the %i. such end of the call: %s', (cause, running, deaths, verdict) => {
  expect(judge(cause, running, deaths)).toBe(verdict);
});

test.each<[number | null, string | null, string, DeathCause]>([
  [null, 'SIGKILL', '', 'lost'],
  [null, 'SIGTERM', '', 'lost'],
  [null, 'SIGABRT', 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'memory'],
  [134, null, '', 'memory'],
  [null, 'SIGSEGV', '', 'crash'],
  [1, null, 'TypeError: x', 'crash'],
])('exit code %s, signal %s, last words "%s": %s', (code, signal, stderr, cause) => {
  expect(causeOfExit(code, signal, stderr)).toBe(cause);
});
