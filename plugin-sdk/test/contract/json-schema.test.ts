import { describe, expect, it } from 'vitest';
import { compileSchema, type JsonObject, schemaProblems, validationProblems } from '../../src/contract/index.ts';

/** `levels` definitions, each of which refers twice to the one before. */
function doubling(levels: number): JsonObject {
  const $defs: Record<string, JsonObject> = { d0: { type: 'string' } };
  for (let level = 1; level <= levels; level++) {
    const reference = { $ref: `#/$defs/d${level - 1}` };
    $defs[`d${level}`] = { allOf: [reference, reference] };
  }
  return { $ref: `#/$defs/d${levels}`, $defs };
}

function nested(levels: number): JsonObject {
  let schema: JsonObject = { type: 'string' };
  for (let level = 0; level < levels; level++) schema = { type: 'array', items: schema };
  return schema;
}

describe('schemaProblems', () => {
  it.each<[what: string, schema: unknown]>([
    ['true', true],
    ['an empty schema', {}],
    ['the dialect named', { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' }],
    [
      'a recursive schema',
      { type: 'object', properties: { child: { $ref: '#' }, more: { type: 'array', items: { $ref: '#' } } } },
    ],
    [
      'annotations and formats',
      { type: 'string', format: 'email', title: 'x', examples: ['a'], deprecated: true, writeOnly: true },
    ],
    [
      'properties named like keywords',
      {
        type: 'object',
        properties: {
          default: { type: 'string' },
          $id: { type: 'string' },
          pattern: { type: 'string', default: '(?=x)' },
        },
      },
    ],
  ])('has nothing against %s', (_what, schema) => {
    expect(schemaProblems(schema)).toEqual([]);
  });

  it.each<[what: string, schema: unknown, pointer: string, message: RegExp]>([
    ['an older dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, '/s/$schema', /2020-12/],
    ['an id', { $id: 'https://example.com/x' }, '/s/$id', /not supported/],
    [
      'a reference to elsewhere',
      { properties: { a: { $ref: 'https://example.com/x' } } },
      '/s/properties/a/$ref',
      /not followed/,
    ],
    ['a reference to nothing', { $ref: '#/$defs/none' }, '/s', /can't resolve/],
    ['a pattern that takes exponential time elsewhere but is not RE2', { pattern: '(?=a)b' }, '/s', /RE2/],
    ['an unknown format', { type: 'string', format: 'colour' }, '/s', /format/],
    ['references that multiply', doubling(40), '/s', /multiply/],
    ['deep nesting', nested(2000), `/s${'/items'.repeat(49)}`, /deeper/],
    ['a schema of half a megabyte', { description: 'x'.repeat(512 * 1024) }, '/s', /256 kB/],
    ['a list', [], '/s', /must be a JSON Schema/],
  ])('finds %s', (_what, schema, pointer, message) => {
    const [problem] = schemaProblems(schema, '/s');
    expect(problem?.pointer).toBe(pointer);
    expect(problem?.message).toMatch(message);
  });
});

describe('compileSchema', () => {
  it('tells every fault with its place, and changes nothing', () => {
    const validate = compileSchema({
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, age: { type: 'integer', default: 3 }, plan: { enum: ['free', 'pro'] } },
      additionalProperties: false,
    });
    const value = { age: 'x', plan: 'gold', more: 1 };
    expect(validate(value)).toBe(false);
    expect(validationProblems(validate.errors, '/input')).toEqual([
      { pointer: '/input/name', message: 'is missing' },
      { pointer: '/input/more', message: 'is not a known property' },
      { pointer: '/input/age', message: 'must be integer' },
      { pointer: '/input/plan', message: 'must be equal to one of the allowed values: "free", "pro"' },
    ]);
    expect(validate({ name: 'Ada' })).toBe(true);
    expect(value).toEqual({ age: 'x', plan: 'gold', more: 1 });
  });

  it('runs patterns in linear time', () => {
    const validate = compileSchema({ type: 'string', pattern: '^(a+)+$' });
    const began = performance.now();
    expect(validate(`${'a'.repeat(5000)}!`)).toBe(false);
    // Backtracking would take longer than the universe exists.
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('sees own properties only', () => {
    expect(compileSchema({ type: 'object', required: ['toString'] })({})).toBe(false);
  });
});

describe('a recursive schema', () => {
  it('is checked as deep as the value goes', () => {
    const validate = compileSchema({
      type: 'object',
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
    });
    expect(validate({ name: 'a', children: [{ name: 'b', children: [{ name: 'c' }] }] })).toBe(true);
    expect(validate({ name: 'a', children: [{ name: 'b', children: [{ name: 1 }] }] })).toBe(false);
    expect(validate.errors?.[0]?.instancePath).toBe('/children/0/children/0/name');
  });

  it('cannot make the work double with each level of the value', () => {
    const branch = { type: 'array', items: { $ref: '#' } };
    const validate = compileSchema({ anyOf: [branch, branch] });
    let value: unknown = 1;
    for (let level = 0; level < 60; level++) value = [value];
    expect(validate(value)).toBe(false);
    expect(validate.errors?.[0]?.message).toMatch(/too complex/);
  });
});
