import type { Format } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { Pattern } from './pattern.ts';

/**
 * The formats that may be used. Each takes time in proportion to the text at most (a test feeds each what slows such expressions down);
 * what ajv-formats does worse is replaced here.
 */
export const FORMATS: Readonly<Record<string, Format>> = {
  date: fullFormats.date,
  time: fullFormats.time,
  'date-time': fullFormats['date-time'],
  duration: fullFormats.duration,
  email: fullFormats.email,
  hostname: fullFormats.hostname,
  ipv4: fullFormats.ipv4,
  ipv6: fullFormats.ipv6,
  uri: fullFormats.uri,
  'uri-reference': fullFormats['uri-reference'],
  'uri-template': fullFormats['uri-template'],
  // The original tries each position of each colon: quadratic.
  url: (text: string) => /^(?:https?|ftp):\/\/[^\s]+$/i.test(text) && URL.canParse(text),
  uuid: fullFormats.uuid,
  'json-pointer': fullFormats['json-pointer'],
  'relative-json-pointer': fullFormats['relative-json-pointer'],
  // The original compiles the text as a native expression.
  regex: isPattern,
  // The original takes several lines, each of its own.
  byte: (text: string) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  // Hints for forms: no check.
  password: true,
  binary: true,
  int32: {
    type: 'number',
    validate: (value: number) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31,
  },
  int64: { type: 'number', validate: (value: number) => Number.isInteger(value) },
  float: { type: 'number', validate: () => true },
  double: { type: 'number', validate: () => true },
};

/** Formats of numbers; all others are of strings. */
export const NUMBER_FORMATS: ReadonlySet<string> = new Set(['int32', 'int64', 'float', 'double']);

function isPattern(text: string): boolean {
  try {
    return new Pattern(text).size > 0;
  } catch {
    return false;
  }
}
