import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { GoflowError, validationError } from '../../core/errors.ts';
import type { Problem } from '../../core/errors.ts';
import { describeOffset, locateFault } from './locate.ts';
import { MAX_DEPTH, scanJson } from './scan.ts';

/**
 * JSON from a request, or a 400 that says where it is wrong: not UTF-8, not JSON, deeper than MAX_DEPTH, or with an integer that a double does
 * not hold. Keys such as `__proto__` are plain own members of the value; of a repeated key the last counts.
 */
export function parseJson(bytes: Buffer): JsonValue {
  if (!isUtf8(bytes)) throw new GoflowError('BAD_JSON', 'the body is not valid UTF-8');
  const whole = bytes.toString('utf8');
  const text = whole.charCodeAt(0) === 0xfeff ? whole.slice(1) : whole;
  const scan = scanJson(text);
  if (scan.tooDeepAt !== -1) {
    throw new GoflowError(
      'BODY_TOO_DEEP',
      `the body is nested deeper than ${MAX_DEPTH} levels at ${describeOffset(text, scan.tooDeepAt)}`,
    );
  }
  try {
    return scan.suspectNumbers ? parseExactly(text) : (JSON.parse(text) as JsonValue);
  } catch (error) {
    if (error instanceof GoflowError) throw error;
    throw malformed(text, error);
  }
}

function malformed(text: string, cause: unknown): GoflowError {
  const fault = locateFault(text);
  if (fault === null) return new GoflowError('BAD_JSON', 'the body is not valid JSON', { cause });
  const found = fault.offset >= text.length ? 'the body ends' : `found ${JSON.stringify(text[fault.offset])}`;
  return new GoflowError(
    'BAD_JSON',
    `the body is not valid JSON: ${found} where ${fault.expected} should be, at ${describeOffset(text, fault.offset)}`,
    {
      cause,
    },
  );
}

/** Stands in the parsed value for a number that cannot be held, until its pointer is known. */
class Inexact {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

const MAX_PROBLEMS = 20;

function parseExactly(text: string): JsonValue {
  let found = 0;
  const value: unknown = JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || isHeld(value, context?.source)) return value;
    found++;
    return new Inexact(context?.source ?? String(value));
  });
  if (found > 0) throw validationError(inexactNumbers(value), 'the body');
  return value as JsonValue;
}

/** Integers written as such must be safe; with an exponent they are approximate by intent, as long as they are finite. */
function isHeld(value: number, source: string | undefined): boolean {
  if (!Number.isFinite(value)) return false;
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return true;
  return source !== undefined && (source.includes('e') || source.includes('E'));
}

function inexactNumbers(value: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  const visit = (value: unknown, pointer: string): void => {
    if (problems.length >= MAX_PROBLEMS || typeof value !== 'object' || value === null) return;
    if (value instanceof Inexact) {
      problems.push({
        pointer,
        keyword: 'integer',
        message: `${value.source.slice(0, 40)} is beyond what a JSON number holds exactly (±9007199254740991); send it as a string`,
      });
    } else
      for (const [key, member] of Object.entries(value))
        visit(member, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  };
  visit(value, '');
  return problems;
}
