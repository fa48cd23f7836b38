// oxlint-disable typescript/no-unnecessary-type-parameters -- that is how types are compared
// Type tests: each schema library types `input` in `run`, and holds the result to `output`.
import { defineAction, defineActionFor, defineConnector } from '@goflow/plugin-sdk';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { Type } from 'typebox';
import * as v from 'valibot';
import * as z from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

// ── zod 4 ──
defineAction({
  input: z.object({ path: z.string(), times: z.number().default(1), kind: z.enum(['a', 'b']).optional() }),
  output: z.object({ length: z.number(), unit: z.string().default('chars') }),
  run(_ctx, input) {
    holds<Same<typeof input, { path: string; times: number; kind?: 'a' | 'b' | undefined }>>();
    // @ts-expect-error there is no such property
    void input.paht;
    return { length: input.path.length * input.times };
  },
});
defineAction({
  output: z.object({ length: z.number() }),
  // @ts-expect-error length is a number
  run: () => ({ length: 'long' }),
});

// ── TypeBox: plain JSON Schema ──
defineAction({
  input: Type.Object({
    path: Type.String(),
    tags: Type.Optional(Type.Array(Type.String())),
    kind: Type.Union([Type.Literal('a'), Type.Literal('b')]),
  }),
  run(_ctx, input) {
    holds<Same<typeof input.path, string>>();
    holds<Same<typeof input.tags, string[] | undefined>>();
    holds<Same<typeof input.kind, 'a' | 'b'>>();
    // @ts-expect-error there is no such property
    return input.paht;
  },
});

// ── valibot, by Standard JSON Schema ──
defineAction({
  input: toStandardJsonSchema(v.object({ path: v.string(), times: v.optional(v.number(), 1) })),
  run(_ctx, input) {
    holds<Same<typeof input, { path: string; times: number }>>();
    // @ts-expect-error there is no such property
    return input.paht;
  },
});

// ── a credential ──
const credential = z.object({ host: z.string(), api_key: z.string().meta({ writeOnly: true }) });
defineConnector({
  name: 'x',
  version: '1.0.0',
  credential,
  actions: {
    go: defineActionFor(credential)({
      run(ctx) {
        holds<Same<typeof ctx.credential, { host: string; api_key: string }>>();
        return ctx.credential.host;
      },
    }),
  },
});
