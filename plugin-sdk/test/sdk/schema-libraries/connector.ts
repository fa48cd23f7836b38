import { defineAction, defineConnector } from '@goflow/plugin-sdk';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { Type } from 'typebox';
import * as v from 'valibot';
import * as z from 'zod';

export default defineConnector({
  name: 'schema-libraries',
  version: '1.0.0',
  credential: z.object({ host: z.string().optional(), api_key: z.string().optional().meta({ writeOnly: true }) }),
  actions: {
    zod: defineAction({
      input: z.object({ path: z.string().min(1), times: z.int().default(3) }),
      run: (_ctx, input) => ({ joined: input.path.repeat(input.times) }),
    }),
    typebox: defineAction({
      input: Type.Object({ path: Type.String({ minLength: 1 }), times: Type.Optional(Type.Integer()) }),
      run: (_ctx, input) => ({ joined: input.path.repeat(input.times ?? 3) }),
    }),
    valibot: defineAction({
      input: toStandardJsonSchema(
        v.object({ path: v.pipe(v.string(), v.minLength(1)), times: v.optional(v.number(), 3) }),
      ),
      run: (_ctx, input) => ({ joined: input.path.repeat(input.times) }),
    }),
    plain: defineAction({
      input: {
        type: 'object',
        required: ['path'],
        properties: { path: { type: 'string', minLength: 1 }, times: { type: 'integer' } },
      },
      run: (_ctx, input) => ({ joined: input.path.repeat(input.times ?? 3) }),
    }),
    refined: defineAction({
      input: z.object({ mail: z.email().transform((mail) => mail.split('@')) }),
      output: z.object({ at: z.string().optional() }),
      run: (_ctx, input) => ({ at: input.mail[1] }),
    }),
    wrong_result: defineAction({
      output: z.object({ count: z.number() }),
      run: () => ({ count: 'many' }) as never,
    }),
  },
});
