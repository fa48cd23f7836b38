import { describe, expect, test } from 'vitest';
import { GoflowError, validationError } from '../../src/core/errors.ts';
import type { TriggerRequest } from '../../src/run/types.ts';
import { RUN, startHost, until } from './harness.ts';

const PATH = '/api/workflows/wf_1/trigger';

describe('a trigger', () => {
  test('is answered with 202, the run and where to find it', async () => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { json: { parameters: { customer_name: 'Alex' } } });
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe('/api/runs/run_1');
    expect(answer.json).toEqual({ run_id: 'run_1', workflow_id: 'wf_1', status: 'queued', trace_id: RUN.trace_id });
    expect(host.triggers).toEqual([{ parameters: { customer_name: 'Alex' }, trigger: { type: 'api' }, waitMs: 0 }]);
  });

  test('may have no body at all', async () => {
    const host = await startHost();
    expect((await host.send('POST', PATH)).status).toBe(202);
    expect(host.triggers[0]?.parameters).toEqual({});
  });

  test.each([
    'application/json',
    'Application/JSON; charset="UTF-8"',
    'application/vnd.acme+json',
    'application/x-www-form-urlencoded',
    undefined,
  ])('is read as JSON when its type is %s', async (type) => {
    const host = await startHost();
    const headers = type === undefined ? undefined : { 'content-type': type };
    const answer = await host.send('POST', PATH, { body: '{"parameters":{"a":1}}', ...(headers && { headers }) });
    expect([answer.status, host.triggers[0]?.parameters]).toEqual([202, { a: 1 }]);
  });

  test.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/jsonp' },
    { 'content-type': '+json' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  ])('is refused with 415 when it is %j', async (headers) => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { headers, body: '{}' });
    expect([answer.status, answer.json.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test.each([
    ['[]', ''],
    ['null', ''],
    ['"x"', ''],
    ['{"parameters":[]}', '/parameters'],
    ['{"parameters":null}', '/parameters'],
    ['{"params":{}}', '/params'],
    ['{"__proto__":{"parameters":{}}}', '/__proto__'],
    ['{"a/b~c":1}', '/a~1b~0c'],
  ])('with the body %s is refused at "%s"', async (body, pointer) => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { body });
    expect([answer.status, answer.json.code, answer.json.errors[0].pointer]).toEqual([
      400,
      'VALIDATION_FAILED',
      pointer,
    ]);
    expect(host.triggers).toEqual([]);
  });

  test('passes __proto__ parameters on as plain members', async () => {
    const host = await startHost();
    await host.send('POST', PATH, { body: '{"parameters":{"__proto__":{"x":1}}}' });
    expect(Object.keys(host.triggers[0]?.parameters ?? {})).toEqual(['__proto__']);
    expect(Object.prototype).not.toHaveProperty('x');
  });
});

describe('a trigger that waits', () => {
  test.each([
    ['?wait=0.5', {}, 500, undefined],
    ['?wait=60', {}, 60_000, undefined],
    ['', { prefer: 'respond-async, wait=10' }, 10_000, 'wait=10'],
    ['', { prefer: 'wait=9999' }, 60_000, 'wait=60'],
    ['?wait=1', { prefer: 'wait=10' }, 1000, undefined],
  ])('%s %j waits %d ms and gets the run', async (search, headers, waitMs, applied) => {
    const host = await startHost();
    const answer = await host.send('POST', PATH + search, { json: {}, headers: headers as Record<string, string> });
    expect([answer.status, answer.json.id, answer.headers['preference-applied']]).toEqual([200, 'run_1', applied]);
    expect(host.triggers[0]?.waitMs).toBe(waitMs);
  });

  test.each(['wait=soon', 'wait=60.1', 'wait=-1', 'wait=1&wait=2', 'on_disconnect=explode', 'colour=red'])(
    'with ?%s is refused',
    async (search) => {
      const host = await startHost();
      const answer = await host.send('POST', `${PATH}?${search}`, { json: {} });
      expect([answer.status, answer.json.errors[0].pointer]).toEqual([
        400,
        `/query/${search.slice(0, search.indexOf('='))}`,
      ]);
    },
  );

  test('ignores a preference that it cannot read', async () => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { json: {}, headers: { prefer: 'wait=soon, handling=lenient' } });
    expect([answer.status, answer.headers['preference-applied']]).toEqual([202, undefined]);
  });

  test('tells the run when its client is gone, and only then', async () => {
    const asked: TriggerRequest[] = [];
    const host = await startHost({
      services: {
        runs: {
          trigger: (_ctx: unknown, _workflow: unknown, request: TriggerRequest) => {
            asked.push(request);
            return new Promise((resolve) => {
              request.clientGone?.addEventListener('abort', () => resolve({ run: RUN, ended: true, replayed: false }));
              if (asked.length === 2) resolve({ run: RUN, ended: false, replayed: false });
            });
          },
        } as never,
      },
    });
    const socket = await host.socket();
    socket.write(
      `POST ${PATH}?wait=60&on_disconnect=cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}`,
    );
    await until(() => asked.length === 1);
    expect([asked[0]?.cancelOnDisconnect, asked[0]?.clientGone?.aborted]).toEqual([true, false]);
    socket.destroy();
    await until(() => asked[0]?.clientGone?.aborted === true);
    await until(() => host.logs.some((line) => line['client_gone'] === true));

    expect((await host.send('POST', `${PATH}?wait=1`, { json: {} })).status).toBe(202);
    await until(() => host.logs.filter((line) => line['msg'] === 'request finished').length === 2);
    expect([asked[1]?.cancelOnDisconnect, asked[1]?.clientGone?.aborted]).toEqual([false, false]);
  });
});

describe('an idempotency key', () => {
  test('goes with the whole body to the run, and a repeated one is marked in the answer', async () => {
    const host = await startHost();
    const body = { parameters: { a: 1 } };
    const first = await host.send('POST', PATH, { json: body, headers: { 'idempotency-key': 'order-1' } });
    const again = await host.send('POST', PATH, { json: body, headers: { 'idempotency-key': 'again' } });
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true']);
    expect(host.triggers.map(({ idempotencyKey, body }) => [idempotencyKey, body])).toEqual([
      ['order-1', body],
      ['again', body],
    ]);
  });

  test.each(['', 'two words', 'é', 'x'.repeat(256)])('%j is refused', async (key) => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { json: {}, headers: { 'idempotency-key': key } });
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, '/headers/Idempotency-Key']);
  });
});

describe('a problem', () => {
  test('is a problem document with every error and the trace of the request', async () => {
    const problems = [
      { pointer: '/parameters/a', message: 'is needed', keyword: 'required' },
      { pointer: '/parameters/b', message: 'is not declared', keyword: 'additionalProperties' },
    ];
    const host = await startHost({
      services: { runs: { trigger: async () => Promise.reject(validationError(problems)) } as never },
    });
    const answer = await host.send('POST', PATH, {
      json: {},
      headers: { traceparent: `00-${'b'.repeat(32)}-${'c'.repeat(16)}-01` },
    });
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers['x-trace-id']).toBe('b'.repeat(32));
    expect(answer.json).toEqual({
      type: 'https://goflow.dev/errors/VALIDATION_FAILED',
      title: 'Validation failed',
      status: 400,
      detail: '/parameters/a: is needed (and 1 more, see "errors")',
      code: 'VALIDATION_FAILED',
      trace_id: 'b'.repeat(32),
      errors: problems,
    });
  });

  test('of ours is 500 without a word of the reason, which is in the log', async () => {
    for (const thrown of [new TypeError('secret path /srv/x'), 'a string', null]) {
      const host = await startHost({ services: { runs: { trigger: async () => Promise.reject(thrown) } as never } });
      const answer = await host.send('POST', PATH, { json: {} });
      expect([answer.status, answer.json.code]).toEqual([500, 'INTERNAL']);
      expect(answer.text).not.toContain('secret path');
      await until(() => host.logs.length === 2);
      expect(host.logs[0]).toMatchObject({
        level: 'error',
        msg: 'request failed',
        trace_id: answer.headers['x-trace-id'],
        'error.code': 'INTERNAL',
      });
    }
  });

  test('that passes says when to come back', async () => {
    const full = new GoflowError('OVERLOADED', 'too much at once', { retryAfter: 1.2 });
    const host = await startHost({ services: { runs: { trigger: async () => Promise.reject(full) } as never } });
    const answer = await host.send('POST', PATH, { json: {} });
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '2']);
  });

  test('of a path or method that is not there is told as such', async () => {
    const host = await startHost();
    expect((await host.send('GET', '/api/nothing')).json).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const method = await host.send('DELETE', PATH);
    expect([method.status, method.headers['allow'], method.json.code]).toEqual([
      405,
      'POST, OPTIONS',
      'METHOD_NOT_ALLOWED',
    ]);
    const options = await host.send('OPTIONS', PATH);
    expect([options.status, options.headers['allow'], options.text]).toEqual([204, 'POST, OPTIONS', '']);
    expect((await host.send('GET', '/api/runs/%ff')).status).toBe(400);
  });
});
