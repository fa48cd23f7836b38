import type { ConnectorContext } from './contract/context.ts';
import type { Limits, Permissions } from './contract/manifest.ts';
import type { Schema } from './schema.ts';
import {
  type AnySchema,
  type InferGiven,
  type InferParsed,
  plainSchema,
  type StandardJsonSchema,
  withPlainSchemas,
} from './standard-schema.ts';

/** An action: what a step of a workflow calls. */
export interface ActionDefinition<Input extends AnySchema, Output extends AnySchema, Credential> {
  /** A few words, for lists. */
  readonly title?: string;
  /** What it does, for the person who builds a workflow. */
  readonly description?: string;
  /**
   * JSON Schema 2020-12 of the input, or a schema of a library that speaks Standard JSON Schema (zod 4 …). `run` is called only with
   * what fits it, and its `input` has the schema's type.
   */
  readonly input?: Input;
  /** The same of the result; a result that does not fit fails the run with `RESULT_INVALID`. */
  readonly output?: Output;
  /** Longest call, in milliseconds. Default: the connector's `limits.timeout_ms`. */
  readonly timeout_ms?: number;
  /** `false`: an attempt that a crash cut off is not run again. Default `true`; send `ctx.idempotencyKey` where the service takes one. */
  readonly idempotent?: boolean;
  /** The work. The result must be JSON of at most 5 MB; throw a `ConnectorError` to fail. */
  run(
    ctx: ConnectorContext<Credential>,
    input: InferParsed<NoInfer<Input>>,
  ): Result<NoInfer<Output>> | Promise<Result<NoInfer<Output>>>;
}

/** Without an `output` schema any result is taken; a function without `return` gives null. */
type Result<Output> = Output extends true ? unknown : InferGiven<Output>;

/** An action whose types have been checked, as `actions` holds them. */
export interface Action {
  readonly title?: string;
  readonly description?: string;
  readonly input?: AnySchema;
  readonly output?: AnySchema;
  readonly timeout_ms?: number;
  readonly idempotent?: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- the input's type is that of the action's own schema
  run(ctx: ConnectorContext<any>, input: any): unknown;
}

export interface ConnectorDefinition {
  /** Lower-case letters, digits and `-`, at most 64, optionally after `@scope/`. */
  readonly name: string;
  /** Semantic version; each published bundle needs a new one. */
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  /** Default: `author` of package.json. */
  readonly author?: string;
  /** SPDX expression. Default: `license` of package.json. */
  readonly license?: string;
  /** JSON Schema of the credential's values; mark secrets with `writeOnly: true`. */
  readonly credential?: (Schema & { readonly type: 'object' }) | StandardJsonSchema;
  /**
   * `"placeholder"` (default): a secret in `ctx.credential` is an opaque token that is replaced on its way to a granted host.
   * `"value"`: the connector sees the secret itself, as signing a request needs; shown to the admin who grants.
   */
  readonly secrets?: 'placeholder' | 'value';
  /** Hosts and storage that it needs; nothing else can be reached. */
  readonly permissions?: Permissions;
  /** Default: `{ memory_mb: 64, concurrency: 16, timeout_ms: 30000 }`. */
  readonly limits?: Partial<Limits>;
  readonly actions: { readonly [id: string]: Action };
}

/** What defines an action whose `ctx.credential` has the type `Credential`. The schemas alone decide the types, never what `run` returns. */
export type DefineAction<Credential> = <const Input extends AnySchema = true, const Output extends AnySchema = true>(
  action: ActionDefinition<Input, Output, Credential>,
) => NoInfer<ActionDefinition<Input, Output, Credential>>;

/**
 * Defines an action; `input` in `run` gets its type from the schema, the result is held to `output`.
 * `ctx.credential` is `any`: `defineActionFor` gives it its type.
 *
 * @example
 * defineAction({
 *   input: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
 *   run: (ctx, input) => ({ greeting: `Hello ${input.name}` }),
 * });
 */
// oxlint-disable-next-line typescript/no-explicit-any -- what the credential holds is known to the connector only
export const defineAction: DefineAction<any> = (action) => withPlainSchemas(action);

/**
 * Like `defineAction`, with `ctx.credential` typed by the credential's schema.
 *
 * @example
 * const credential = { type: 'object', required: ['key'], properties: { key: { type: 'string', writeOnly: true } } } as const;
 * const action = defineActionFor(credential);
 */
export function defineActionFor<const Credential extends Schema | StandardJsonSchema>(
  _credential: Credential,
): DefineAction<InferGiven<Credential>> {
  return (action) => withPlainSchemas(action);
}

/** Defines a connector. A connector's entry file exports its result as `default`. */
export function defineConnector<const Definition extends ConnectorDefinition>(definition: Definition): Definition {
  return definition.credential === undefined
    ? definition
    : { ...definition, credential: plainSchema(definition.credential) };
}
