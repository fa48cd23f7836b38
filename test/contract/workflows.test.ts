import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, ROOT, startHost, until, type HostProcess, type Json } from '../support/host-process.ts';

let host: HostProcess;

beforeAll(async () => {
  host = await startHost({ pluginsDir: path.join(ROOT, 'plugins') });
});
afterAll(cleanUp);

/** `pointer keyword` of each problem that saving the body has; `saved` when it has none. */
async function problemsOf(body: unknown): Promise<readonly string[] | 'saved'> {
  const answer = await host.request('POST', '/api/workflows', body);
  if (answer.status === 201) return 'saved';
  expect(answer.status, JSON.stringify(answer.body)).toBe(400);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    status: 400,
    code: 'VALIDATION_FAILED',
    trace_id: answer.headers.get('x-trace-id'),
  });
  return (answer.body.errors as Json[]).map((problem) => `${problem.pointer} ${problem.keyword}`);
}

const parameter = (fields: object) => ({ name: 'w', parameters: [{ name: 'a', type: 'string', ...fields }] });
const step = (fields: object = {}) => ({ id: 'one', action: 'testing', config: {}, ...fields });

describe('saving a workflow points to every problem', () => {
  it.each<[string, unknown, readonly string[] | 'saved']>([
    ['no object', [], [' type']],
    ['no name', {}, ['/name required']],
    ['an unknown field', { name: 'w', foo: 1 }, ['/foo additionalProperties']],
    ['a name that a pointer escapes', { name: 'w', 'a/b~c': 1 }, ['/a~1b~0c additionalProperties']],
    ['__proto__ as a field', '{"name":"w","__proto__":{}}', ['/__proto__ additionalProperties']],
    ['a parameter without type', { name: 'w', parameters: [{ name: 'a' }] }, ['/parameters/0/type required']],
    ['a name with a dash', parameter({ name: 'a-b' }), ['/parameters/0/name pattern']],
    ['names of the language are names', parameter({ name: '__proto__' }), 'saved'],
    ['a keyword of another type', parameter({ minimum: 1 }), ['/parameters/0/minimum minimum']],
    ['an unknown keyword', parameter({ foo: 1 }), ['/parameters/0/foo additionalProperties']],
    ['a default that does not fit', parameter({ default: 5 }), ['/parameters/0/default type']],
    ['the alias of default', parameter({ default_value: 5 }), ['/parameters/0/default_value type']],
    ['a pattern that is not RE2', parameter({ pattern: '(?=a)' }), ['/parameters/0/pattern pattern']],
    [
      '257 parameters',
      { name: 'w', parameters: Array.from({ length: 257 }, (_, i) => ({ name: `p${i}`, type: 'string' })) },
      ['/parameters maxItems'],
    ],
    ['no time', { name: 'w', execution_timeout: 0 }, ['/execution_timeout exclusiveMinimum']],
    ['a part of a second', { name: 'w', execution_timeout: 0.05 }, 'saved'],
    ['a day', { name: 'w', execution_timeout: 86_400 }, 'saved'],
    ['over a day', { name: 'w', execution_timeout: 86_401 }, ['/execution_timeout maximum']],
    ['no attempt', { name: 'w', retry: { max_attempts: 0 } }, ['/retry/max_attempts minimum']],
    ['an unknown on_missing', { name: 'w', on_missing: 'ignore' }, ['/on_missing enum']],
    ['action and steps', { name: 'w', action: 'testing', steps: [step()] }, ['/steps oneOf']],
    ['config without action', { name: 'w', config: {} }, ['/config dependentRequired']],
    ['an unknown action', { name: 'w', action: 'nope' }, ['/action action']],
    ['input that cannot fit', { name: 'w', action: 'testing', config: { delay_ms: 'x' } }, ['/config/delay_ms type']],
    [
      'a credential for nothing',
      { name: 'w', action: 'testing', config: {}, credential: 'c' },
      ['/credential credential'],
    ],
    ['two steps with one id', { name: 'w', steps: [step(), step()] }, ['/steps/1/id uniqueItems']],
    [
      'a problem in the second of two steps that are alike',
      { name: 'w', steps: [step(), step({ config: { response: '{{nope}}' } })] },
      ['/steps/1/id uniqueItems', '/steps/1/config/response template'],
    ],
    [
      'a step that reads a later one',
      { name: 'w', steps: [step({ config: { response: '{{steps.two.output}}' } }), step({ id: 'two' })] },
      ['/steps/0/config/response template'],
    ],
    [
      'on_missing in a step',
      { name: 'w', steps: [step({ on_missing: 'keep' })] },
      ['/steps/0/on_missing additionalProperties'],
    ],
  ])('%s', async (_name, body, expected) => {
    expect(await problemsOf(body)).toEqual(expected);
  });

  it.each([
    ['{{params.a}}', 'saved'],
    ['{{ params.l[0].x }} and {{params.l.0}}', 'saved'],
    ['{{params}}', 'saved'],
    ['\\{{params.nope}}', 'saved'],
    ['one } two }}', 'saved'],
    ['{{params.nope}}', 'refused'],
    ['{{params.constructor}}', 'refused'],
    ['{{params.a.length}}', 'refused'],
    ['{{params.l.length}}', 'refused'],
    ['{{env.HOME}}', 'refused'],
    ['{{workflow.tenant_id}}', 'refused'],
    ['{{}}', 'refused'],
    ['{{params.a', 'refused'],
    ['{{params.a}} {{', 'refused'],
    ['{{params.a | upper}}', 'refused'],
  ])('the template %j is %s', async (template, expected) => {
    const parameters = [
      { name: 'a', type: 'string' },
      { name: 'l', type: 'array' },
    ];
    const found = await problemsOf({
      name: 'w',
      parameters,
      action: 'testing',
      config: { response: [{ deep: template }] },
    });
    expect(found).toEqual(expected === 'saved' ? 'saved' : ['/config/response/0/deep template']);
  });
});

describe('a trigger', () => {
  it('tells every problem of its parameters at once, and coerces nothing', async () => {
    await host.request('PUT', '/api/workflows/typed', {
      name: 'typed',
      parameters: [
        { name: 'must', type: 'string', required: true },
        { name: 'count', type: 'integer' },
        { name: 'flag', type: 'boolean' },
        { name: 'one', type: 'string', enum: ['x'] },
      ],
    });
    const answer = await host.request(
      'POST',
      '/api/workflows/typed/trigger',
      '{"parameters":{"count":"5","flag":1,"one":"y","other":1,"__proto__":{"must":"x"}}}',
    );
    expect(answer.status).toBe(400);
    const found = (answer.body.errors as Json[]).map((problem) => `${problem.pointer} ${problem.keyword}`);
    expect(found.sort()).toEqual([
      '/parameters/__proto__ additionalProperties',
      '/parameters/count type',
      '/parameters/flag type',
      '/parameters/must required',
      '/parameters/one enum',
      '/parameters/other additionalProperties',
    ]);
  });

  it('that is repeated with its Idempotency-Key gets the first answer again, waiting or not', async () => {
    await host.request('PUT', '/api/workflows/once', {
      name: 'once',
      action: 'testing',
      config: { response: { b: 1, a: 2 } },
    });
    const headers = { 'idempotency-key': 'k' };
    const first = await host.request('POST', '/api/workflows/once/trigger?wait=10', {}, headers);
    expect(first.status).toBe(200);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    for (const target of ['/api/workflows/once/trigger?wait=10', '/api/workflows/once/trigger']) {
      const again = await host.request('POST', target, {}, headers);
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      // Member for member, in the same order.
      expect(JSON.stringify(again.body)).toBe(JSON.stringify(first.body));
    }
    expect((await host.request('POST', '/api/workflows/once/trigger', { parameters: {} }, headers)).status).toBe(422);
    expect((await host.request('GET', '/api/workflows/once/runs')).body.items).toHaveLength(1);
  });
});

describe('the shape of the original', () => {
  it.each<[string, Json]>([
    ['an object', { response: 'Hi {{user.name}}, {{nobody.there}}' }],
    ['JSON text', '{"response":"Hi {{user.name}}, {{nobody.there}}"}'],
  ])('takes config_json as %s, and keeps what is missing', async (_name, config_json) => {
    const body = { name: 'o', trigger_type: 'webhook', action_type: 'testing', config_json, unknown: true };
    const made = await host.request('POST', '/api/workflows', body);
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const accepted = await host.request('POST', `/api/webhooks/${made.body.webhook_id as string}`, {
      user: { name: 'Alex' },
    });
    expect(accepted.body).toMatchObject({ status: 'triggered', run_id: expect.stringMatching(/^run_/) as string });
    const run = await until(
      () => host.request('GET', `/api/runs/${accepted.body.run_id as string}`),
      (answer) => answer.body.status !== 'running',
    );
    expect(run.body).toMatchObject({ status: 'succeeded', output: 'Hi Alex, {{nobody.there}}' });
  });
});
