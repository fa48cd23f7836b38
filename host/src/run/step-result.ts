import type { ErrorData, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import type { ResolvedAction } from '../plugin/types.ts';

/** How an attempt of a step ended. */
export type StepResult =
  | { readonly kind: 'succeeded'; readonly output: JsonValue; readonly action: ResolvedAction }
  | {
      readonly kind: 'failed';
      readonly error: ErrorData;
      readonly action: ResolvedAction | null;
      /** How long an answer that the connector got asked to be left alone (`Retry-After`), in milliseconds. */
      readonly askedMs?: number;
    }
  | { readonly kind: 'timed_out' | 'cancelled' | 'interrupted'; readonly action: ResolvedAction | null };

export function failed(error: ErrorData, action: ResolvedAction | null): StepResult {
  return { kind: 'failed', error, action };
}

/** Problems found by a schema, as one message. */
export function describeProblems(what: string, problems: readonly Problem[]): string {
  const shown = problems.slice(0, 3).map((problem) => `${problem.pointer}: ${problem.message}`);
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : '';
  return `${what} does not fit its schema: ${shown.join('; ')}${more}`;
}
