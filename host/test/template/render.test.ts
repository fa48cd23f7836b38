import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OnMissing, TemplatePathMissing, TemplateTooLarge, parseTemplate } from '../../src/template/template.ts';

const ROOTS: JsonObject = {
  params: {
    name: 'Alex',
    n: 3,
    yes: true,
    nothing: null,
    list: ['a', { b: 1 }],
    o: { k: 'v' },
    braces: '{{params.n}}',
  },
  steps: { fetch: { output: { 'x-id': 7, items: [{ sku: 's1' }] }, status: 'succeeded' } },
  run: { id: 'run_1', attempt: 1 },
};

function render(value: JsonValue, onMissing: OnMissing = 'error'): JsonValue {
  const { template, problems } = parseTemplate(value, '/config', { legacy: false });
  expect(problems).toEqual([]);
  return template.render({ roots: ROOTS }, onMissing);
}

describe('rendering', () => {
  it.each([
    ['Hi {{params.name}}!', 'Hi Alex!'],
    ['{{ params.name }}', 'Alex'],
    ['{{params.n}}', 3],
    ['{{params.yes}}', true],
    ['{{params.nothing}}', null],
    ['{{params.o}}', { k: 'v' }],
    ['n={{params.n}} yes={{params.yes}} nothing={{params.nothing}}', 'n=3 yes=true nothing=null'],
    ['{{params.o}} {{params.list}}', '{"k":"v"} ["a",{"b":1}]'],
    ['{{params.list.0}}{{params.list[1].b}}', 'a1'],
    ['{{steps.fetch.output.x-id}}', 7],
    ['{{steps.fetch.output.items[0].sku}}', 's1'],
    ['\\{{params.name}} {{params.name}}', '{{params.name}} Alex'],
    ['\\{{', '{{'],
    ['{"a":{"b":{{params.n}}}}', '{"a":{"b":3}}'],
    ['}} { {', '}} { {'],
    ['', ''],
  ])('%j gives %j', (source, expected) => {
    expect(render(source)).toEqual(expected);
  });

  it('goes through objects and arrays, but never touches keys', () => {
    expect(render({ '{{params.name}}': ['{{params.n}}', { a: '{{params.name}}' }], b: 1 })).toEqual({
      '{{params.name}}': [3, { a: 'Alex' }],
      b: 1,
    });
  });

  it('never renders what it inserts', () => {
    expect(render('{{params.braces}}')).toBe('{{params.n}}');
    expect(render('x{{params.braces}}')).toBe('x{{params.n}}');
  });

  it.each([
    'constructor',
    'o.__proto__',
    'name.length',
    'list.length',
    'list[2]',
    'list.map',
    'o.toString',
    'name[0]',
    'list.00',
    'o.k.x',
  ])('finds nothing at params.%s', (path) => {
    expect(() => render(`{{params.${path}}}`)).toThrow(TemplatePathMissing);
    expect(render(`a{{params.${path}}}b`, 'empty')).toBe('ab');
    expect(render(`a{{ params.${path} }}b`, 'keep')).toBe(`a{{ params.${path} }}b`);
  });

  it('says which path is missing, and where', () => {
    expect(() => render({ to: ['{{ params.gone }}'] })).toThrow(
      expect.objectContaining({ path: 'params.gone', pointer: '/config/to/0' }),
    );
  });

  it('keeps __proto__ an ordinary key', () => {
    const out = render(JSON.parse('{"__proto__":"{{params.n}}"}') as JsonValue);
    expect(JSON.stringify(out)).toBe('{"__proto__":3}');
  });

  it('stops before the result grows beyond 5 MB', () => {
    const big = 'x'.repeat(1024 * 1024);
    for (const value of [
      '{{params.big}}'.repeat(6),
      Array.from({ length: 6 }, () => '{{params.big}}'),
      { a: Array.from({ length: 6 }, () => '{{params.o}}') },
    ] as JsonValue[]) {
      const { template } = parseTemplate(value, '', { legacy: false });
      expect(() => template.render({ roots: { params: { big, o: { big } } } }, 'error')).toThrow(TemplateTooLarge);
    }
  });

  it('gives back any value without placeholders as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('{{'));
        expect(render(value as JsonValue)).toEqual(value);
      }),
    );
  });

  it('gives back any value that is one placeholder', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { template } = parseTemplate('{{params.v}}', '', { legacy: false });
        expect(template.render({ roots: { params: { v: value as JsonValue } } }, 'error')).toEqual(value);
      }),
    );
  });

  it('puts any text between any texts', () => {
    const plain = fc.string().filter((text) => !/[{}\\]/.test(text));
    fc.assert(
      fc.property(plain, fc.string(), plain, (before, inserted, after) => {
        const { template } = parseTemplate(`${before}|{{params.v}}|${after}`, '', { legacy: false });
        expect(template.render({ roots: { params: { v: inserted } } }, 'error')).toBe(`${before}|${inserted}|${after}`);
      }),
    );
  });
});

describe('the original shape', () => {
  it('keeps braces without a path and paths that are missing as they are written', () => {
    const { template, problems } = parseTemplate('{{user.name}} {{ gone }} {{}} {{a b}} {{open', '', { legacy: true });
    expect(problems).toEqual([]);
    expect(template.render({ roots: ROOTS, bare: { user: { name: 'Alex' } } }, 'keep')).toBe(
      'Alex {{ gone }} {{}} {{a b}} {{open',
    );
  });

  it('still knows the roots', () => {
    const { template } = parseTemplate('{{params.name}}', '', { legacy: true });
    expect(template.render({ roots: ROOTS, bare: { params: { name: 'bare' } } }, 'keep')).toBe('Alex');
  });
});
