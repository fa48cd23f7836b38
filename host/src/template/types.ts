import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { PlaceholderKind } from '../params/partial.ts';
import type { Path } from './path.ts';

/** What placeholders can name. `bare`: where paths of the original's shape begin that name no root. */
export interface Roots {
  readonly roots: JsonObject;
  readonly bare?: JsonValue;
}

/** What a path does that is not there: fail, become an empty string, or stay as it is written. */
export type OnMissing = 'error' | 'empty' | 'keep';

/** A JSON value with placeholders in its strings, parsed once, rendered many times. */
export interface Template {
  /** The value as it was given. */
  readonly source: JsonValue;
  readonly hasPlaceholders: boolean;
  /** Each placeholder: where it stands (below the pointer given to `parseTemplate`) and the path that it names. */
  readonly paths: ReadonlyArray<{ readonly pointer: string; readonly path: Path }>;
  /** What stands where, by pointer from the value itself: for `checkSchemaPartial`. */
  readonly placeholders: ReadonlyMap<string, PlaceholderKind>;
  /**
   * The value with every placeholder filled in; parts without placeholders are shared, not copied. What is filled in is never rendered again.
   * @throws TemplatePathMissing with `onMissing: 'error'`
   * @throws TemplateTooLarge when the result would be over 5 MB
   */
  render(roots: Roots, onMissing: OnMissing): JsonValue;
}
