import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { describe, expect, it } from 'vitest';
import type { ParameterDeclaration } from '../../src/params/parameters.ts';
import { checkPaths, parseTemplate } from '../../src/template/template.ts';

const PARAMETERS: ParameterDeclaration[] = [
  { name: 'name', type: 'string' },
  {
    name: 'tags',
    type: 'array',
    maxItems: 3,
    items: { type: 'object', properties: { id: { type: 'integer' } }, additionalProperties: false },
  },
  { name: 'anything', type: 'object' },
  { name: 'closed', type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
];
const SCOPE = {
  parameters: PARAMETERS,
  stepIds: ['first'],
  laterStepIds: ['second', 'third'],
  outputs: new Map([
    ['first', { type: 'object', properties: { status: { type: 'integer' }, body: {} }, additionalProperties: false }],
  ]),
};

function faults(value: JsonValue): string[] {
  const { template, problems } = parseTemplate(value, '/config', { legacy: false });
  return [...problems, ...checkPaths(template, SCOPE)].map((problem) => problem.message);
}

describe('a path', () => {
  it.each([
    'params',
    'params.name',
    'params.tags[2].id',
    'params.tags.0',
    'params.anything.at.all[3]',
    'params.closed.a',
    'steps.first.output',
    'steps.first.output.body.deep[1]',
    'steps.first.status',
    'trigger.type',
    'trigger.body.a.b',
    'trigger.headers.x-id',
    'trigger.query.q',
    'workflow.version',
    'run.trace_id',
    'tenant.id',
  ])('%s can exist', (path) => {
    expect(faults(`{{${path}}}`)).toEqual([]);
  });

  it.each([
    ['user.name', 'begins with one of'],
    ['params.nam', 'declares no parameter "nam"'],
    ['params.name.first', 'is of type string'],
    ['params.tags.id', 'it takes an index'],
    ['params.tags.length', 'it takes an index'],
    ['params.tags[3]', 'at most 3 items'],
    ['params.tags[0].name', 'has the members id'],
    ['params.closed.b', 'has the members a'],
    ['params.constructor', 'declares no parameter'],
    ['steps', 'name a step'],
    ['steps.first', 'output, status'],
    ['steps.first.result', 'output, status'],
    ['steps.first.status.x', 'has no members'],
    ['steps.first.output.headers', 'has the members status, body'],
    ['steps.second.output', 'does not run before this one'],
    ['steps.fourth.output', 'there is no step "fourth"'],
    ['trigger', 'type, body, headers, query'],
    ['trigger.constructor', 'type, body, headers, query'],
    ['run.id.x', 'has no members'],
    ['workflow.secret', 'id, name, version'],
    ['constructor.name', 'begins with one of'],
    ['__proto__.x', 'begins with one of'],
  ])('%s cannot exist: %s', (path, reason) => {
    const found = faults(`{{${path}}}`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });
});

describe('braces', () => {
  it.each([
    '{{}}',
    '{{ }}',
    '{{a b}}',
    '{{a..b}}',
    '{{.a}}',
    '{{a.}}',
    '{{a[x]}}',
    '{{a[-1]}}',
    '{{a[01]}}',
    '{{{params.name}}}',
    '{{a|upper}}',
    '{{params.name',
    'x {{',
    '{{"a"}}',
    `{{${'a'.repeat(2000)}}}`,
  ])('that hold no path are refused: %s', (text) => {
    const { problems } = parseTemplate({ m: [text] }, '/config', { legacy: false });
    expect(problems).toMatchObject([{ pointer: '/config/m/0', keyword: 'template' }]);
  });

  it('are found wherever they stand, with what stands there', () => {
    const { template } = parseTemplate({ a: '{{params.name}}', 'b/c': ['x {{params.name}}'] }, '/config', {
      legacy: false,
    });
    expect([...template.placeholders]).toEqual([
      ['/a', 'whole'],
      ['/b~1c/0', 'text'],
    ]);
    expect(template.paths.map((one) => one.pointer)).toEqual(['/config/a', '/config/b~1c/0']);
    expect(template.hasPlaceholders).toBe(true);
  });

  it('by the hundred thousand are parsed in linear time', () => {
    const began = performance.now();
    for (const text of [
      '{{'.repeat(250_000),
      '\\{{'.repeat(150_000),
      '{{a'.repeat(150_000),
      `${'{{'.repeat(200_000)}}}`,
    ]) {
      parseTemplate(text, '', { legacy: false });
      parseTemplate(text, '', { legacy: true });
    }
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
