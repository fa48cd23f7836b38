// oxlint-disable typescript/no-unnecessary-type-parameters -- that is how types are compared
// Type tests: `tsc -p tsconfig.json` compiles this file; each `@ts-expect-error` must be one.
import { ConnectorError, defineAction, defineActionFor, defineConnector, type Infer } from '@goflow/plugin-sdk';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

// The example of the public contract, word for word.
export default defineConnector({
  name: 'custom-api',
  version: '1.0.0',
  title: 'Custom API',
  description: '…',
  permissions: { net: ['api.example.com'] },
  credential: { type: 'object', required: ['api_key'], properties: { api_key: { type: 'string', writeOnly: true } } },
  actions: {
    send: defineAction({
      title: 'Send',
      idempotent: true,
      input: {
        type: 'object',
        required: ['path'],
        properties: { path: { type: 'string' } },
        additionalProperties: false,
      },
      async run(ctx, input) {
        // input: { path: string }, inferred from the schema
        holds<Same<typeof input, { path: string }>>();
        const response = await ctx.fetch(`https://api.example.com${input.path}`, {
          headers: { authorization: ctx.credential.api_key },
        });
        return { status: response.status, data: await response.json() };
      },
    }),
  },
});

defineAction({
  input: { type: 'object', required: ['path'], properties: { path: { type: 'string' }, times: { type: 'integer' } } },
  run(_ctx, input) {
    holds<Same<typeof input, { path: string; times?: number }>>();
    // @ts-expect-error there is no such property
    void input.paht;
    // @ts-expect-error a number is no string
    input.path = 1;
    return null;
  },
});

defineAction({
  output: {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
  },
  // the result fits the output schema
  run: () => ({ id: 'a', tags: ['b'] }),
});

defineAction({
  output: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
  // @ts-expect-error the output schema says that id is a string
  run: async () => ({ id: 1 }),
});

defineAction({
  output: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
  // @ts-expect-error the output schema requires id
  run: () => ({}),
});

// Without schemas: input is any JSON and has to be looked at, any result is taken.
defineAction({
  run(_ctx, input) {
    // @ts-expect-error nothing is known of input
    void input.name;
    return new Map([[1, input]]);
  },
});

defineAction({
  async run(ctx) {
    await ctx.storage.set('key', { at: ctx.deadline });
    ctx.signal.throwIfAborted();
    ctx.log.info('done', { left: ctx.remaining() });
    // @ts-expect-error there is no process, file or environment in a context
    void ctx.env;
  },
});

const typed = defineActionFor({
  type: 'object',
  required: ['token'],
  properties: { token: { type: 'string', writeOnly: true } },
});
typed({
  run(ctx) {
    holds<Same<typeof ctx.credential, { token: string }>>();
    // @ts-expect-error the credential has no such value
    return ctx.credential.key;
  },
});

// Keywords that the editor does not know are allowed, at any depth.
defineAction({
  input: {
    type: 'object',
    $comment: 'x',
    'x-order': ['a'],
    properties: { a: { type: 'string', contentEncoding: 'base64' } },
    if: { properties: {} },
  },
  run: (_ctx, input) => input.a,
});

// @ts-expect-error a connector needs a version and actions
defineConnector({ name: 'x' });
// @ts-expect-error secrets are placeholders or values
defineConnector({ name: 'x', version: '1.0.0', actions: {}, secrets: 'plain' });

export const failure = new ConnectorError('CODE', 'message', {
  retryable: true,
  // @ts-expect-error details are JSON
  details: () => 1,
});

// ── Infer ──
holds<Same<Infer<{ type: 'string' }>, string>>();
holds<Same<Infer<{ type: readonly ['string', 'null'] }>, string | null>>();
holds<Same<Infer<{ type: 'integer' }>, number>>();
holds<Same<Infer<{ enum: readonly ['a', 1, null] }>, 'a' | 1 | null>>();
holds<Same<Infer<{ type: 'string'; enum: readonly ['a', 'b'] }>, 'a' | 'b'>>();
holds<Same<Infer<{ const: true }>, true>>();
holds<Same<Infer<{ type: 'array'; items: { type: 'boolean' } }>, boolean[]>>();
holds<
  Same<
    Infer<{ type: 'array'; prefixItems: readonly [{ type: 'string' }, { type: 'number' }]; items: false; minItems: 2 }>,
    [string, number]
  >
>();
holds<
  Same<
    Infer<{ type: 'array'; prefixItems: readonly [{ type: 'string' }, { type: 'number' }]; items: false }>,
    [string?, number?]
  >
>();
holds<Same<Infer<{ anyOf: readonly [{ type: 'string' }, { type: 'number' }] }>, string | number>>();
holds<Same<Infer<{ oneOf: readonly [{ const: 'a' }, { type: 'null' }] }>, 'a' | null>>();
holds<Same<Infer<{ type: 'object'; additionalProperties: { type: 'number' } }>, { [name: string]: number }>>();
holds<Same<Infer<{ $ref: '#/$defs/id'; $defs: { id: { type: 'string' } } }>, string>>();

const tree: Infer<{
  $ref: '#/$defs/node';
  $defs: {
    node: {
      type: 'object';
      required: readonly ['name'];
      properties: { name: { type: 'string' }; children: { type: 'array'; items: { $ref: '#/$defs/node' } } };
    };
  };
}> = { name: 'a', children: [{ name: 'b', children: [] }] };
// @ts-expect-error a child needs a name too
tree.children = [{ children: [] }];

const both: Infer<{
  allOf: readonly [
    { type: 'object'; required: readonly ['a']; properties: { a: { type: 'string' } } },
    { type: 'object'; required: readonly ['b']; properties: { b: { type: 'number' } } },
  ];
}> = { a: 'x', b: 1 };
// @ts-expect-error a is a string
both.a = 2;

const union: Infer<{
  type: 'object';
  oneOf: readonly [
    { properties: { kind: { const: 'text' }; text: { type: 'string' } }; required: readonly ['kind', 'text'] },
    { properties: { kind: { const: 'html' }; html: { type: 'string' } }; required: readonly ['kind', 'html'] },
  ];
}> = { kind: 'text', text: 'x' };
if (union.kind === 'text') union.text.toUpperCase();

const open: Infer<{
  type: 'object';
  required: readonly ['a'];
  properties: { a: { type: 'string' } };
  additionalProperties: true;
}> = { a: 'x', more: [1, null] };
open.a.toUpperCase();
