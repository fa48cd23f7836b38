import { RE2JS } from 're2js';

/**
 * Patterns from users run on RE2: linear in the text, whatever the pattern. Linear is not enough, as a pattern of 1,000 instructions over a
 * megabyte still takes seconds, so each validation has a budget of steps (instructions × characters), and a pattern a limit of size.
 */
export const MAX_PATTERN_LENGTH = 1000;
/** Largest compiled program of a pattern. */
export const MAX_PATTERN_SIZE = 2500;
/** Steps of one validation; at worst 12 ns each. */
const STEP_BUDGET = 40_000_000;

/** A text is too long to be checked against its pattern within the budget. */
export class PatternBudgetExceeded extends Error {
  override readonly name = 'PatternBudgetExceeded';
}

let stepsLeft = STEP_BUDGET;

/** Begins a validation. Validations are synchronous, so that one counter serves all. */
export function refillPatternBudget(): void {
  stepsLeft = STEP_BUDGET;
}

/** What ajv takes in place of a RegExp. Throws a readable error when the pattern is not RE2 syntax or too large. */
export class Pattern {
  readonly #source: string;
  readonly #program: RE2JS;
  readonly size: number;

  /** `bounded`: refuse what is too large for a workflow; a plugin's own schemas are bounded as a whole. */
  constructor(source: string, bounded = true) {
    if (bounded && source.length > MAX_PATTERN_LENGTH) {
      throw new Error(`the pattern has ${source.length} characters, the limit is ${MAX_PATTERN_LENGTH}`);
    }
    this.#source = source;
    this.#program = compileRe2(source);
    this.size = this.#program.programSize();
    if (bounded && this.size > MAX_PATTERN_SIZE) {
      throw new Error(
        `the pattern is too large: ${this.size} instructions, the limit is ${MAX_PATTERN_SIZE}; use smaller repeat counts`,
      );
    }
  }

  test(text: string): boolean {
    stepsLeft -= this.size * text.length;
    if (stepsLeft < 0) throw new PatternBudgetExceeded('too long to be checked against a pattern');
    return this.#program.test(text);
  }

  /** Ajv tells patterns apart by this; the default would give every pattern the first one's code. */
  toString(): string {
    return `/${this.#source}/re2`;
  }
}

/** The engine's refusals say "error parsing regexp: <what>: `<where>`". */
function compileRe2(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    const text = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new Error(`the pattern is not RE2 syntax (no lookaround, no backreferences): ${text}`, { cause: error });
  }
}

/** The engine that ajv's `code.regExp` asks for; `code` is only used by standalone code, which we never make. */
export function re2Engine(bounded: boolean) {
  return Object.assign((source: string, _flags: string) => new Pattern(source, bounded), { code: 'new RegExp' });
}
