import type { JsonObject, JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import { describe, expect, it } from 'vitest';
import { checkSchemaPartial, compileSchema, schemaFault } from '../../src/params/schema-validator.ts';
import { parseTemplate } from '../../src/template/template.ts';

describe('a schema of a manifest', () => {
  it('is checked with all problems', () => {
    const check = compileSchema(
      { type: 'object', required: ['path'], properties: { path: { type: 'string' } }, additionalProperties: false },
      'input',
    );
    expect(check({ path: '/x' })).toEqual([]);
    expect(check({ pat: 1 }, '/config')).toEqual([
      { pointer: '/config/path', keyword: 'required', message: '"path" is missing' },
      { pointer: '/config/pat', keyword: 'additionalProperties', message: '"pat" is not known here' },
    ]);
    expect(check('x')).toEqual([{ pointer: '', keyword: 'type', message: 'the input must be an object' }]);
  });

  it('may refer to itself', () => {
    const tree: JsonSchema = {
      $defs: { node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } } } },
      $ref: '#/$defs/node',
    };
    expect(schemaFault(tree)).toBeNull();
    expect(compileSchema(tree)({ children: [{ children: [{ children: 1 }] }] })).toMatchObject([
      { pointer: '/children/0/children/0/children', keyword: 'type' },
    ]);
  });

  it('that cannot be used never throws', () => {
    const doubling: Record<string, JsonObject> = { a0: { type: 'string' } };
    for (let level = 1; level < 40; level += 1)
      doubling[`a${level}`] = { allOf: [{ $ref: `#/$defs/a${level - 1}` }, { $ref: `#/$defs/a${level - 1}` }] };
    for (const schema of [
      { $ref: '#/nowhere' },
      { type: 'text' },
      { pattern: '(?=a)' },
      { $defs: doubling, $ref: '#/$defs/a39' },
    ]) {
      expect(schemaFault(schema)).toBeTypeOf('string');
      expect(compileSchema(schema)('x')).toMatchObject([{ keyword: 'schema' }]);
    }
  });

  it('quotes a request, but not what a run holds', () => {
    const schema: JsonSchema = { properties: { token: { type: 'string', maxLength: 2 } } };
    expect(compileSchema(schema, 'request')({ token: 'hunter2' })[0]?.message).toContain('hunter2');
    expect(compileSchema(schema)({ token: 'hunter2' })[0]?.message).toBe('"token" must have at most 2 characters');
  });

  it('without rules lets everything through', () => {
    expect([undefined, true, {}].flatMap((schema) => compileSchema(schema)(1))).toEqual([]);
    expect(compileSchema(false)(1)).toHaveLength(1);
  });

  it('of a credential shows no value', () => {
    const [problem] = compileSchema(
      { properties: { password: { type: 'string', maxLength: 2 } } },
      'credential',
    )({ password: 'hunter2' });
    expect(problem?.message).not.toContain('hunter2');
  });
});

describe('a config with placeholders', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      to: {
        anyOf: [
          { type: 'string', format: 'email' },
          { type: 'array', items: { type: 'string' } },
        ],
      },
      message: { type: 'string', minLength: 20 },
      html: { type: 'string' },
      count: { type: 'integer' },
      kind: { enum: ['a', 'b'] },
    },
    anyOf: [{ required: ['message'] }, { required: ['html'] }],
    additionalProperties: false,
  };
  const check = (config: JsonValue) =>
    checkSchemaPartial(schema, parseTemplate(config, '/config', { legacy: false }).template, '/config').map(
      ({ pointer, keyword }) => `${pointer} ${keyword}`,
    );

  it('is accepted as far as it may fit', () => {
    expect(
      check({ to: '{{params.to}}', message: 'Hi {{params.n}}', count: '{{params.n}}', kind: '{{params.k}}' }),
    ).toEqual([]);
    expect(check({ to: ['{{params.to}}', 'b'], html: '{{params.h}}', kind: 'x{{params.k}}' })).toEqual([]);
  });

  it('is refused for what is wrong whatever the placeholders become', () => {
    expect(check({ to: '{{params.to}}', html: '{{params.h}}', count: 'three', colour: '{{params.c}}' })).toEqual([
      '/config/colour additionalProperties',
      '/config/count type',
    ]);
    expect(check({ html: 'x', count: '{{params.a}} and {{params.b}}' })).toEqual(['/config/count type']);
  });

  it('is refused when it needs what no placeholder can bring', () => {
    expect(check({ to: '{{params.to}}' })).toEqual(['/config anyOf']);
  });
});
