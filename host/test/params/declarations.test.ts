import { describe, expect, it } from 'vitest';
import { checkDeclarations } from '../../src/params/parameters.ts';

function problemsOf(...declarations: unknown[]): string[] {
  return checkDeclarations(declarations, '/parameters').problems.map(({ pointer, keyword }) => `${pointer} ${keyword}`);
}

describe('declarations', () => {
  it('accept every type with the keywords that fit it', () => {
    const { declarations, problems } = checkDeclarations(
      [
        {
          name: 'a',
          type: 'string',
          minLength: 1,
          maxLength: 9,
          pattern: '^[a-z]+$',
          format: 'hostname',
          enum: ['x', 'y'],
        },
        { name: 'b', type: 'number', minimum: 0, exclusiveMaximum: 10, multipleOf: 0.1 },
        { name: 'c', type: 'integer', const: 3, description: 'three' },
        { name: 'd', type: 'boolean', default: false },
        {
          name: 'e',
          type: 'array',
          items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
          uniqueItems: true,
          maxItems: 5,
        },
        {
          name: 'f',
          type: 'object',
          properties: { x: { anyOf: [{ type: 'null' }, { type: 'string' }] } },
          additionalProperties: false,
        },
      ],
      '/parameters',
    );
    expect(problems).toEqual([]);
    expect(declarations.map((one) => one.name)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('take default_value for default, but not both', () => {
    expect(checkDeclarations([{ name: 'p', type: 'string', default_value: 'x' }], '').declarations).toEqual([
      { name: 'p', type: 'string', default: 'x' },
    ]);
    expect(problemsOf({ name: 'p', type: 'string', default_value: 'x', default: 'x' })).toEqual([
      '/parameters/0/default_value default',
    ]);
  });

  it('tell every fault with its pointer', () => {
    expect(
      problemsOf(
        { name: '1a', type: 'text', colour: 1, required: 'yes' },
        { name: 'b', type: 'string', minimum: 1 },
        { name: 'b', type: 'string' },
        7,
      ),
    ).toEqual([
      '/parameters/0/colour additionalProperties',
      '/parameters/0/name pattern',
      '/parameters/0/required type',
      '/parameters/0/type enum',
      '/parameters/1/minimum minimum',
      '/parameters/2/name uniqueItems',
      '/parameters/3 type',
    ]);
  });

  it.each([
    ['a default of another type', { type: 'integer', default: '3' }, '/parameters/0/default type'],
    ['a default outside of the enum', { type: 'string', enum: ['a'], default: 'b' }, '/parameters/0/default enum'],
    ['an enum value that can never be given', { type: 'string', enum: ['a', 1] }, '/parameters/0/enum/1 enum'],
    [
      'bounds that exclude everything',
      { type: 'string', minLength: 3, maxLength: 2 },
      '/parameters/0/minLength minLength',
    ],
    ['a lookahead', { type: 'string', pattern: 'a(?=b)' }, '/parameters/0/pattern pattern'],
    ['a backreference', { type: 'string', pattern: '(a)\\1' }, '/parameters/0/pattern pattern'],
    ['a huge repetition', { type: 'string', pattern: '(a{1000}){1000}' }, '/parameters/0/pattern pattern'],
    ['an unknown format', { type: 'string', format: 'shoe-size' }, '/parameters/0/format format'],
    ['a format of another type', { type: 'integer', format: 'email' }, '/parameters/0/format format'],
    ['a reference', { type: 'array', items: { $ref: '#' } }, '/parameters/0/items/$ref additionalProperties'],
    ['a schema that is none', { type: 'array', items: 'string' }, '/parameters/0/items type'],
    [
      'a property called __proto__',
      { type: 'object', properties: JSON.parse('{"__proto__":{}}') },
      '/parameters/0/properties/__proto__ properties',
    ],
  ])('refuse %s', (_, declaration, expected) => {
    expect(problemsOf({ name: 'p', ...declaration })).toEqual([expected]);
  });

  it('refuse more than 256, and lists that are none', () => {
    expect(problemsOf(...Array.from({ length: 257 }, (_, index) => ({ name: `p${index}`, type: 'string' })))).toEqual([
      '/parameters maxItems',
    ]);
    expect(checkDeclarations({}, '/parameters').problems).toHaveLength(1);
    expect(checkDeclarations(undefined, '/parameters')).toEqual({ declarations: [], problems: [] });
  });

  it('refuse schemas that a large value would take over a second to check against', () => {
    const branches = Array.from({ length: 200 }, (_, index) => ({ type: 'integer', minimum: index }));
    expect(problemsOf({ name: 'p', type: 'array', items: { anyOf: branches } })).toEqual(['/parameters/0 maxCost']);
    expect(problemsOf({ name: 'p', type: 'array', maxItems: 100, items: { anyOf: branches } })).toEqual([]);
  });

  it('refuse deep and endless schemas without going through them', () => {
    let deep: object = { type: 'string' };
    for (let level = 0; level < 60; level += 1) deep = { type: 'array', items: deep };
    expect(problemsOf({ name: 'p', ...deep })[0]).toMatch(/ maxDepth$/);
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, { type: 'string' }]));
    expect(problemsOf({ name: 'p', type: 'object', properties: wide })).toHaveLength(1);
  });

  it('leave out unknown fields of the original shape', () => {
    const { declarations, problems } = checkDeclarations([{ name: 'p', type: 'string', label: 'P' }], '/parameters', {
      ignoreUnknown: true,
    });
    expect(problems).toEqual([]);
    expect(declarations).toEqual([{ name: 'p', type: 'string' }]);
  });

  it('have no default where they are secret: who reads the workflow would see it', () => {
    const [problem] = checkDeclarations(
      [{ name: 'p', type: 'string', secret: true, maxLength: 2, default: 'hunter2' }],
      '/parameters',
    ).problems;
    expect([problem?.pointer, problem?.keyword]).toEqual(['/parameters/0/default', 'secret']);
    expect(problem?.message).not.toContain('hunter2');
  });
});
