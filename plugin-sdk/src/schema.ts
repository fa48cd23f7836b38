import type { JsonObject, JsonValue } from './contract/json.ts';

/**
 * The TypeScript type of the values that a JSON Schema (2020-12) literal allows. `default` fills nothing in, so a property is
 * optional unless `required` names it. A schema without `additionalProperties` is read as closed, `true` as open.
 *
 * @example
 * type Path = Infer<{ readonly type: 'object'; readonly required: readonly ['path']; readonly properties: { readonly path: { readonly type: 'string' } } }>;
 * // { path: string }
 */
export type Infer<S, Root = S> =
  IsAny<S> extends true
    ? S
    : S extends true
      ? JsonValue
      : S extends false
        ? never
        : S extends { readonly const: infer Value }
          ? Value
          : S extends { readonly enum: readonly (infer Value)[] }
            ? Value
            : S extends { readonly $ref: infer Reference }
              ? InferReference<Reference, Root>
              : S extends { readonly anyOf: infer Branches extends readonly unknown[] }
                ? Both<InferUnion<Branches, Root>, Infer<Omit<S, 'anyOf'>, Root>>
                : S extends { readonly oneOf: infer Branches extends readonly unknown[] }
                  ? Both<InferUnion<Branches, Root>, Infer<Omit<S, 'oneOf'>, Root>>
                  : S extends { readonly allOf: infer Branches extends readonly unknown[] }
                    ? Both<InferAll<Branches, Root>, Infer<Omit<S, 'allOf'>, Root>>
                    : S extends { readonly type: infer Type }
                      ? InferType<Type extends readonly (infer Each)[] ? Each : Type, S, Root>
                      : S extends { readonly properties: object }
                        ? InferObject<S, Root>
                        : S extends { readonly items: unknown } | { readonly prefixItems: unknown }
                          ? InferArray<S, Root>
                          : JsonValue;

/** What `input`, `output` and `credential` take: a JSON Schema 2020-12. Its common keywords, for the editor; others are allowed. */
export interface Schema {
  readonly type?: SchemaType | readonly SchemaType[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: Schema | boolean };
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema | boolean;
  readonly prefixItems?: readonly (Schema | boolean)[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly (Schema | boolean)[];
  readonly oneOf?: readonly (Schema | boolean)[];
  readonly allOf?: readonly (Schema | boolean)[];
  readonly $defs?: { readonly [name: string]: Schema | boolean };
  readonly $ref?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  /** RE2 syntax: no look-around, no back-references. */
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  /** A secret, in a `credential`. */
  readonly writeOnly?: boolean;
}

export type SchemaType = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

type InferType<Type, S, Root> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'object'
          ? InferObject<S, Root>
          : Type extends 'array'
            ? InferArray<S, Root>
            : JsonValue;

type InferObject<S, Root> = S extends { readonly properties: infer Properties }
  ? Simplify<
      { -readonly [K in keyof Properties as K extends RequiredOf<S> ? K : never]: Infer<Properties[K], Root> } & {
        -readonly [K in keyof Properties as K extends RequiredOf<S> ? never : K]?: Infer<Properties[K], Root>;
      }
    > &
      (S extends { readonly additionalProperties: true | object } | { readonly patternProperties: object }
        ? { [name: string]: JsonValue | undefined }
        : unknown)
  : S extends { readonly additionalProperties: infer Rest extends object }
    ? { [name: string]: Infer<Rest, Root> }
    : S extends { readonly additionalProperties: false }
      ? Record<string, never>
      : JsonObject;

type RequiredOf<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;

type InferArray<S, Root> = S extends { readonly prefixItems: infer Prefix extends readonly unknown[] }
  ? [...TupleOf<S, InferEach<Prefix, Root>>, ...RestOf<S, Root>]
  : S extends { readonly items: infer Item }
    ? Infer<Item, Root>[]
    : JsonValue[];

/** `prefixItems` says what the items are, only `minItems` says that they are there. */
type TupleOf<S, Items extends unknown[]> = S extends { readonly minItems: Items['length'] } ? Items : Partial<Items>;
type RestOf<S, Root> = S extends { readonly items: infer Rest }
  ? Rest extends false
    ? []
    : Infer<Rest, Root>[]
  : JsonValue[];
type InferEach<Items extends readonly unknown[], Root> = { -readonly [I in keyof Items]: Infer<Items[I], Root> };

type InferUnion<Branches extends readonly unknown[], Root> = {
  [I in keyof Branches]: Infer<Branches[I], Root>;
}[number];
type InferAll<Branches extends readonly unknown[], Root> = Branches extends readonly [infer First, ...infer Others]
  ? Both<Infer<First, Root>, InferAll<Others, Root>>
  : JsonValue;

type InferReference<Reference, Root> = Reference extends '#'
  ? Infer<Root, Root>
  : Reference extends `#/$defs/${infer Name}`
    ? Root extends { readonly $defs: infer Definitions }
      ? Name extends keyof Definitions
        ? Infer<Definitions[Name], Root>
        : JsonValue
      : JsonValue
    : JsonValue;

/** Intersection, where the wider side ("any JSON", "any object") adds nothing. */
type Both<A, B> = [B] extends [A] ? B : [A] extends [B] ? A : A & B;
/** One object type instead of an intersection; the detour lets editors show its members and not this name. */
type Simplify<T> = T extends infer Whole ? { [K in keyof Whole]: Whole[K] } : never;
type IsAny<T> = 0 extends 1 & T ? true : false;
