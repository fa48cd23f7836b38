import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/params/formats.ts';

/** What slows such expressions down: a long run of one thing, and then something that does not fit. */
const SEEDS = [
  'a',
  'a.',
  'a-',
  '1',
  '1:',
  '::',
  '/',
  'a/',
  '%41',
  '{a}',
  '{a,',
  'http://a',
  'http://::',
  'a@a.',
  'T',
  'P1',
  '/~',
  'AAAA',
  'é',
  '1.1.',
  '?',
  'a=',
  '\n',
  '2020-01-01T',
];
const PREFIXES = ['', 'http://a', 'a@', 'P', '/', '2020-01-01T00:00:00.'];

function milliseconds(check: (text: string) => unknown, text: string): number {
  const began = performance.now();
  check(text);
  return performance.now() - began;
}

function checkOf(name: string): ((text: string) => unknown) | null {
  const format = FORMATS[name] as unknown;
  if (format === true) return null;
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === 'function') return format as (text: string) => unknown;
  const { type, validate } = format as { type?: string; validate: RegExp | ((text: string) => unknown) };
  if (type === 'number') return null;
  return validate instanceof RegExp ? (text) => validate.test(text) : validate;
}

describe('formats', () => {
  it.each(Object.keys(FORMATS))('%s takes time in proportion to the text at most', (name) => {
    const check = checkOf(name);
    if (check === null) return;
    for (const prefix of PREFIXES) {
      for (const seed of SEEDS) {
        const text = `${prefix}${seed.repeat(Math.ceil(20_000 / seed.length))}\u0000`;
        // Quadratic expressions take 400 ms and more here; the fastest of three leaves out what the machine does besides.
        const fastest = Math.min(...[1, 2, 3].map(() => milliseconds(check, text)));
        expect(fastest, `${name} of ${prefix} + ${seed}…`).toBeLessThan(100);
      }
    }
  });

  it.each([
    ['email', 'alex@example.com', 'alex@'],
    ['date-time', '2026-01-31T10:00:00Z', '2026-02-31T10:00:00Z'],
    ['url', 'https://example.com/x?y=1', 'javascript:alert(1)'],
    ['uuid', '0189d3a0-7c2e-7b1e-9c1a-0123456789ab', '0189d3a0'],
    ['byte', 'aGk=', 'aGk'],
    ['regex', '^a+$', '('],
    ['ipv4', '127.0.0.1', '256.0.0.1'],
    ['uri', 'urn:isbn:1', 'no uri'],
  ])('%s tells %s from %s', (name, good, bad) => {
    expect(checkOf(name)?.(good)).toBe(true);
    expect(checkOf(name)?.(bad)).toBe(false);
  });
});
