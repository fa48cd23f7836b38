import { describe, expect, test } from 'vitest';
import { RUN, startHost } from './harness.ts';

describe('webhooks', () => {
  test('run a workflow with the body, headers and query, and fill its parameters', async () => {
    const host = await startHost({ locked: true });
    const answer = await host.send('POST', '/api/webhooks/wf_1?source=shop&tag=a&tag=b&__proto__=x', {
      json: { customer_name: 'Alex', other: 1, plan: null },
      headers: { authorization: 'Bearer secret', cookie: 'a=b', 'x-shop': 'acme' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      status: 'triggered',
      message: expect.stringContaining('Send Welcome Email'),
      run_id: 'run_1',
      trace_id: RUN.trace_id,
    });
    const [request] = host.triggers;
    expect(request?.parameters).toEqual({ customer_name: 'Alex', plan: null });
    expect(request?.trigger).toMatchObject({ type: 'webhook', body: { customer_name: 'Alex', other: 1, plan: null } });
    expect(request?.trigger.headers).toMatchObject({ 'x-shop': 'acme', 'content-type': 'application/json' });
    expect(Object.keys(request?.trigger.headers ?? {})).not.toContain('authorization');
    expect(Object.keys(request?.trigger.headers ?? {})).not.toContain('cookie');
    expect(Object.entries(request?.trigger.query ?? {})).toEqual([
      ['source', 'shop'],
      ['tag', ['a', 'b']],
      ['__proto__', 'x'],
    ]);
  });

  test('keep what fills a secret parameter out of the record of the trigger', async () => {
    const host = await startHost();
    await host.send('POST', '/api/webhooks/wf_1', { json: { customer_name: 'Alex', token: { deep: 's3cret' } } });
    const [request] = host.triggers;
    expect(request?.parameters['token']).toEqual({ deep: 's3cret' });
    expect(request?.trigger.body).toEqual({ customer_name: 'Alex', token: '***' });
  });

  test('take any JSON, or nothing', async () => {
    const host = await startHost();
    await host.send('POST', '/api/webhooks/wf_1');
    await host.send('POST', '/api/webhooks/wf_1', { body: '[1,2]' });
    expect(host.triggers.map(({ trigger, parameters }) => [trigger.body, parameters])).toEqual([
      [{}, {}],
      [[1, 2], {}],
    ]);
    expect((await host.send('POST', '/api/webhooks/nobody')).status).toBe(404);
    expect((await host.send('POST', '/api/webhooks/wf_1', { body: '{oops' })).status).toBe(400);
  });
});
