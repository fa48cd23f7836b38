import type { JsonObject } from '@goflow/plugin-sdk/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDeclarations, compileParameters, maskSecrets } from '../../src/params/parameters.ts';

function compile(...declarations: unknown[]) {
  const checked = checkDeclarations(declarations, '/parameters');
  expect(checked.problems).toEqual([]);
  return compileParameters(checked.declarations);
}

describe('values', () => {
  const welcome = compile(
    { name: 'customer_name', type: 'string', required: true, maxLength: 8 },
    { name: 'plan', type: 'string', default: 'free', enum: ['free', 'pro'] },
    { name: 'seats', type: 'integer', minimum: 1 },
  );

  it('are filled with defaults and otherwise kept', () => {
    expect(welcome.apply({ customer_name: 'Alex' })).toEqual({
      values: { customer_name: 'Alex', plan: 'free' },
      problems: [],
    });
    expect(welcome.apply({ customer_name: 'Alex', plan: 'pro', seats: 2 }).values).toEqual({
      customer_name: 'Alex',
      plan: 'pro',
      seats: 2,
    });
  });

  it('get every problem, with pointer and keyword', () => {
    const { problems } = welcome.apply({ plan: 'gold', seats: 0, colour: 'red' });
    expect(problems).toEqual([
      { pointer: '/parameters/customer_name', keyword: 'required', message: 'parameter "customer_name" is missing' },
      {
        pointer: '/parameters/plan',
        keyword: 'enum',
        message: 'parameter "plan" must be one of "free", "pro"; got "gold"',
      },
      { pointer: '/parameters/seats', keyword: 'minimum', message: 'parameter "seats" must be >= 1; got 0' },
      {
        pointer: '/parameters/colour',
        keyword: 'additionalProperties',
        message: 'the workflow declares no parameter "colour"',
      },
    ]);
  });

  it('are never coerced', () => {
    const one = compile(
      { name: 'n', type: 'integer' },
      { name: 's', type: 'string' },
      { name: 'b', type: 'boolean' },
      { name: 'a', type: 'array' },
    );
    for (const wrong of [
      { n: '3' },
      { n: 3.5 },
      { n: null },
      { s: 3 },
      { b: 'true' },
      { b: 1 },
      { a: 'x' },
      { a: {} },
    ]) {
      expect(one.apply(wrong as JsonObject).problems.map((problem) => problem.keyword)).toEqual(['type']);
    }
    expect(one.apply({ n: 3.0, s: '3', b: true, a: [] }).problems).toEqual([]);
  });

  it('hold no integer that a number cannot keep', () => {
    const one = compile(
      { name: 'n', type: 'integer' },
      { name: 'o', type: 'object', properties: { n: { type: 'integer' } } },
    );
    expect(one.apply({ n: 2 ** 53 - 1, o: { n: -(2 ** 53 - 1) } }).problems).toEqual([]);
    expect(one.apply({ n: 2 ** 53, o: { n: -(2 ** 53) } }).problems.map((problem) => problem.pointer)).toEqual([
      '/parameters/n',
      '/parameters/o/n',
    ]);
  });

  it('may have names that mean something to JavaScript', () => {
    const one = compile(
      { name: '__proto__', type: 'string' },
      { name: 'constructor', type: 'string' },
      { name: 'toString', type: 'string', default: 'd' },
    );
    const { values, problems } = one.apply(JSON.parse('{"__proto__":"p","constructor":"c"}') as JsonObject);
    expect(problems).toEqual([]);
    expect(JSON.stringify(values)).toBe('{"__proto__":"p","constructor":"c","toString":"d"}');
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
    expect(
      welcome.apply(JSON.parse('{"customer_name":"A","__proto__":{"plan":"pro"}}') as JsonObject).problems,
    ).toMatchObject([{ pointer: '/parameters/__proto__', keyword: 'additionalProperties' }]);
    expect(compile({ name: 'constructor', type: 'string', required: true }).apply({}).problems).toMatchObject([
      { keyword: 'required' },
    ]);
  });

  it('have pointers into nested values, escaped', () => {
    const one = compile({
      name: 'o',
      type: 'object',
      additionalProperties: { type: 'array', items: { type: 'integer' } },
    });
    expect(one.apply({ o: { 'a/b~c': [1, 'x'] } }).problems).toMatchObject([
      { pointer: '/parameters/o/a~1b~0c/1', keyword: 'type' },
    ]);
  });

  it('that are secret appear in no message and are masked', () => {
    const one = compile(
      { name: 'token', type: 'string', secret: true, pattern: '^t_' },
      { name: 'login', type: 'object', secret: true, additionalProperties: { type: 'integer' } },
    );
    const { problems } = one.apply({ token: 'hunter2', login: { swordfish: 'opensesame' } });
    expect(problems).toHaveLength(2);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|swordfish|opensesame/);
    expect(maskSecrets({ token: 't_1', other: 1 }, one.secretNames)).toEqual({ token: '***', other: 1 });
  });

  it('with alternatives get one problem that names them', () => {
    const one = compile({
      name: 'o',
      type: 'object',
      properties: {
        m: {
          anyOf: [
            { type: 'object', required: ['text'] },
            { type: 'object', required: ['html'] },
          ],
        },
      },
    });
    expect(one.apply({ o: { m: {} } }).problems).toEqual([
      { pointer: '/parameters/o/m', keyword: 'anyOf', message: 'parameter "o.m" needs "text" or "html"' },
    ]);
  });

  it('are not slow to check whatever the pattern', () => {
    const one = compile(
      { name: 'p', type: 'string', pattern: '^(a+)+$' },
      { name: 'q', type: 'string', pattern: '^([ab]*a[ab]{900})*$' },
    );
    expect(one.apply({ p: `${'a'.repeat(50_000)}!` }).problems).toHaveLength(1);
    const { problems } = one.apply({ q: 'ab'.repeat(400_000) });
    expect(problems).toMatchObject([{ pointer: '/parameters/q', keyword: 'pattern' }]);
    expect(one.apply({ p: 'aaa', q: `a${'b'.repeat(900)}` }).problems).toEqual([]);
  });

  it('of 100,000 objects are checked for uniqueness in linear time', () => {
    const one = compile({ name: 'a', type: 'array', uniqueItems: true });
    const items = Array.from({ length: 100_000 }, (_, index) => ({ i: index }));
    expect(one.apply({ a: items }).problems).toEqual([]);
    expect(one.apply({ a: [...items, { i: 77 }] }).problems).toMatchObject([
      { pointer: '/parameters/a', keyword: 'uniqueItems' },
    ]);
    expect(
      one.apply({
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      }).problems,
    ).toHaveLength(1);
    expect(one.apply({ a: [1, '1', true, 'true', null, [], {}] }).problems).toEqual([]);
  });

  it('that are all wrong get at most 100 problems', () => {
    const one = compile({ name: 'a', type: 'array', items: { type: 'integer' } });
    expect(one.apply({ a: Array.from({ length: 1000 }, () => 'x') }).problems).toHaveLength(100);
    expect(one.apply({ a: Array.from({ length: 400_000 }, () => 'x') }).problems).toHaveLength(1);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1]));
    expect(one.apply(many).problems).toHaveLength(100);
  });

  it('of tenths are multiples of a tenth', () => {
    const one = compile({ name: 'n', type: 'number', multipleOf: 0.01 });
    expect(one.apply({ n: 19.99 }).problems).toEqual([]);
    expect(one.apply({ n: 19.995 }).problems).toHaveLength(1);
  });

  it('of any JSON shape are answered, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('customer_name', 'plan', 'seats', '__proto__', 'toString', ''), fc.jsonValue()),
        (values) => {
          const { problems, values: filled } = welcome.apply(values as JsonObject);
          if (problems.length === 0)
            expect(Object.keys(filled).every((name) => ['customer_name', 'plan', 'seats'].includes(name))).toBe(true);
        },
      ),
    );
  });

  it('are described for OpenAPI', () => {
    expect(welcome.schema).toEqual({
      type: 'object',
      properties: {
        customer_name: { type: 'string', maxLength: 8 },
        plan: { type: 'string', default: 'free', enum: ['free', 'pro'] },
        seats: { type: 'integer', minimum: 1 },
      },
      required: ['customer_name'],
      additionalProperties: false,
    });
  });
});
