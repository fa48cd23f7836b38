import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/run/types.ts';
import type { RunFilter } from '../../src/store/store.ts';
import { notFound, RUN, startHost, until } from './harness.ts';

describe('workflows', () => {
  test('are created, replaced, patched, switched and deleted', async () => {
    const host = await startHost();
    const created = await host.send('POST', '/api/workflows', { json: { name: 'x' } });
    expect([created.status, created.headers['location'], created.json.id]).toEqual([
      201,
      '/api/workflows/wf_1',
      'wf_1',
    ]);
    expect((await host.send('PUT', '/api/workflows/wf_1', { json: {} })).status).toBe(200);
    const put = await host.send('PUT', '/api/workflows/mine', { json: {} });
    expect([put.status, put.headers['location']]).toEqual([201, '/api/workflows/mine']);
    const patch = { body: '{}', headers: { 'content-type': 'application/merge-patch+json' } };
    expect((await host.send('PATCH', '/api/workflows/wf_1', patch)).status).toBe(200);
    expect((await host.send('PUT', '/api/workflows/wf_1/toggle')).json.is_active).toBe(false);
    expect((await host.send('DELETE', '/api/workflows/wf_1')).status).toBe(204);
    expect((await host.send('GET', '/api/workflows/nobody')).json.code).toBe('NOT_FOUND');
    expect((await host.send('GET', '/api/workflows')).json).toMatchObject({
      items: [{ id: 'wf_1' }],
      next_cursor: null,
    });
  });

  test('need a body where one is written', async () => {
    const host = await startHost();
    for (const [method, path] of [
      ['POST', '/api/workflows'],
      ['PUT', '/api/workflows/a'],
      ['PATCH', '/api/workflows/a'],
      ['POST', '/api/credentials'],
      ['POST', '/api/keys'],
      ['PUT', '/api/plugins/a/grants'],
      ['POST', '/api/workflows/dry-run'],
    ] as const) {
      const answer = await host.send(method, path);
      expect([path, answer.status, answer.json.code]).toEqual([path, 400, 'BAD_JSON']);
    }
    const bundle = await host.send('POST', '/api/plugins');
    expect([bundle.status, bundle.json.code]).toEqual([400, 'BUNDLE_REFUSED']);
  });

  test('are dry-run, stored or not', async () => {
    const host = await startHost();
    const stored = await host.send('POST', '/api/workflows/wf_1/dry-run', { json: { parameters: { a: 1 } } });
    expect(stored.json).toEqual({ workflow: 'wf_1', parameters: { a: 1 } });
    const draft = await host.send('POST', '/api/workflows/dry-run', {
      json: { workflow: { name: 'x' }, parameters: { a: 2 } },
    });
    expect(draft.json.parameters).toEqual({ a: 2 });
    expect((await host.send('POST', '/api/workflows/dry-run', { json: { name: 'x' } })).status).toBe(200);
  });
});

describe('lists', () => {
  test('hand out a cursor that leads to the next page of the same list and no other', async () => {
    const asked: unknown[] = [];
    const list = async (_ctx: unknown, page: unknown) => {
      asked.push(page);
      return { items: [], next_cursor: 'wf_7' };
    };
    const host = await startHost({ services: { workflows: { list } as never } });
    const first = await host.send('GET', '/api/workflows?limit=2');
    const { next_cursor } = first.json as { next_cursor: string };
    await host.send('GET', `/api/workflows?cursor=${next_cursor}`);
    expect(asked).toEqual([{ limit: 2 }, { limit: 50, cursor: 'wf_7' }]);
    for (const cursor of [`${next_cursor}x`, 'wf_7', '%00', 'x'.repeat(600)]) {
      expect((await host.send('GET', `/api/workflows?cursor=${cursor}`)).json.errors[0].pointer).toBe('/query/cursor');
    }
    expect((await host.send('GET', `/api/runs?cursor=${next_cursor}`)).status).toBe(400);
  });

  test.each([
    '/api/workflows',
    '/api/runs',
    '/api/actions',
    '/api/plugins',
    '/api/credentials',
    '/api/keys',
    '/api/runs/run_1/logs',
    '/api/workflows/wf_1/runs',
  ])('%s checks limit and refuses what it does not know', async (path) => {
    const host = await startHost();
    expect((await host.send('GET', path)).json).toHaveProperty('next_cursor');
    for (const search of ['limit=0', 'limit=201', 'limit=ten', 'limit=', 'nonsense=1', 'cursor=!!']) {
      const answer = await host.send('GET', `${path}?${search}`);
      expect([search, answer.status, answer.json.code]).toEqual([search, 400, 'VALIDATION_FAILED']);
    }
  });

  test('of runs take filters', async () => {
    const filters: RunFilter[] = [];
    const list = async (_ctx: unknown, filter: RunFilter) => {
      filters.push(filter);
      return { items: [RUN], next_cursor: null };
    };
    const host = await startHost({ services: { runs: { list } as never } });
    await host.send(
      'GET',
      '/api/runs?status=failed&workflow_id=wf_9&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00%2B01:00&limit=3',
    );
    await host.send('GET', '/api/workflows/wf_1/runs?status=queued');
    expect(filters).toEqual([
      {
        limit: 3,
        status: 'failed',
        workflow_id: 'wf_9',
        since: '2026-01-01T00:00:00.000Z',
        until: '2026-01-31T23:00:00.000Z',
      },
      { limit: 50, status: 'queued', workflow_id: 'wf_1' },
    ]);
    expect((await host.send('GET', '/api/workflows/nobody/runs')).status).toBe(404);
    expect((await host.send('GET', '/api/runs?status=happy')).status).toBe(400);
    expect((await host.send('GET', '/api/runs?since=yesterday')).status).toBe(400);
  });

  test('of plugins show pages of what is in memory', async () => {
    const plugins = Array.from({ length: 5 }, (_, i) => ({ name: `p${i}`, version: '1.0.0', state: 'enabled' }));
    const refused = { name: null, version: null, state: 'refused', file: 'x.goflow.json', reason: 'no JSON' };
    const host = await startHost({ services: { plugins: { list: () => [...plugins, refused] } as never } });
    const seen: unknown[] = [];
    let path = '/api/plugins?limit=4';
    for (;;) {
      const { items, next_cursor } = (await host.send('GET', path)).json;
      seen.push(...items);
      if (next_cursor === null) break;
      path = `/api/plugins?limit=4&cursor=${next_cursor}`;
    }
    expect(seen).toEqual([refused, ...plugins]);
  });

  test('of log lines go on where the page before ended', async () => {
    const lines = Array.from({ length: 5 }, (_, i) => ({ seq: i + 1, msg: `line ${i + 1}` }));
    const logs = async (_ctx: unknown, _id: string, page: { after: number; limit: number }) =>
      lines.slice(page.after, page.after + page.limit);
    const host = await startHost({ services: { runs: { logs } as never } });
    const first = (await host.send('GET', '/api/runs/run_1/logs?limit=3')).json;
    const second = (await host.send('GET', `/api/runs/run_1/logs?limit=2&cursor=${first.next_cursor}`)).json;
    expect([first.items.length, second.items, second.next_cursor]).toEqual([3, lines.slice(3), null]);
  });
});

describe('runs', () => {
  test('are read, cancelled and run again', async () => {
    const host = await startHost();
    expect((await host.send('GET', '/api/runs/run_1')).json).toEqual(RUN);
    expect((await host.send('GET', '/api/runs/run_9')).status).toBe(404);
    const cancelled = await host.send('POST', '/api/runs/run_1/cancel', { body: '{}' });
    expect([cancelled.status, cancelled.json.run_id]).toEqual([202, 'run_1']);
    const replayed = await host.send('POST', '/api/runs/run_1/replay');
    expect([replayed.status, replayed.headers['location']]).toEqual([202, '/api/runs/run_2']);
  });
});

describe('events of a run', () => {
  const events: RunEvent[] = [
    { id: 1, type: 'state', data: { ...RUN, status: 'running' } },
    { id: 2, type: 'progress', data: { step_id: 'a', fraction: 0.5, message: 'half\nway' } },
    { id: 3, type: 'state', data: RUN },
  ];

  function hostWith(
    status: 'running' | 'succeeded',
    source: (signal: AbortSignal | null, after: number) => AsyncIterable<RunEvent>,
  ) {
    const runs = {
      get: async (_ctx: unknown, id: string) => (id === 'run_1' ? { ...RUN, status } : notFound()),
      events: (ctx: { signal: AbortSignal | null }, _id: string, after: number) => source(ctx.signal, after),
    };
    return startHost({ services: { runs: runs as never } });
  }

  async function* from(after: number): AsyncGenerator<RunEvent> {
    yield* events.filter(({ id }) => id > after);
  }

  test('are a stream that ends with the run', async () => {
    const host = await hostWith('running', (_signal, after) => from(after));
    const answer = await host.send('GET', '/api/runs/run_1/events');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(answer.headers['x-trace-id']).toBeDefined();
    const blocks = answer.text.trim().split('\n\n');
    expect(blocks.map((block) => block.split('\n').map((line) => line.slice(0, 12)))).toEqual([
      ['retry: 1000'],
      ['id: 1', 'event: state', 'data: {"id":'],
      ['id: 2', 'event: progr', 'data: {"step'],
      ['id: 3.end', 'event: state', 'data: {"id":'],
    ]);
  });

  test('go on after Last-Event-ID, and say 204 to who has seen the end', async () => {
    const host = await hostWith('succeeded', (_signal, after) => from(after));
    const after = (id: string) => host.send('GET', '/api/runs/run_1/events', { headers: { 'last-event-id': id } });
    const rest = await after('2');
    expect(rest.text).toContain('id: 3.end');
    expect(rest.text).not.toContain('id: 2');
    expect((await after('3.end')).status).toBe(204);
    expect((await after('three')).status).toBe(400);
    expect((await host.send('GET', '/api/runs/nobody/events')).status).toBe(404);
    const head = await host.send('HEAD', '/api/runs/run_1/events');
    expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  test('have the end last, also where the source gives it first', async () => {
    const log = { id: 7, type: 'log', data: { seq: 7, msg: 'x' } } as unknown as RunEvent;
    const host = await hostWith('succeeded', () =>
      (async function* () {
        yield { id: 0, type: 'state', data: RUN } as const;
        yield log;
      })(),
    );
    const { text } = await host.send('GET', '/api/runs/run_1/events');
    expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual(['7', '7.end']);
  });

  test('stop being made when the client is gone', async () => {
    let stopped = false;
    const host = await hostWith('running', (signal) =>
      (async function* () {
        yield events[0] as RunEvent;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        stopped = true;
      })(),
    );
    const socket = await host.socket();
    socket.write('GET /api/runs/run_1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    await until(() => text.includes('id: 1'));
    socket.destroy();
    await until(() => stopped);
  });

  test('are not made faster than the client reads', async () => {
    let made = 0;
    const host = await hostWith('running', (signal) =>
      (async function* () {
        while (made < 5000) {
          if (signal?.aborted === true) return;
          made++;
          yield { id: made, type: 'progress', data: { step_id: 'a', fraction: 0, message: 'x'.repeat(60_000) } };
        }
      })(),
    );
    const socket = await host.socket();
    socket.pause();
    socket.write('GET /api/runs/run_1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => made > 0);
    let before = -1;
    while (before !== made) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(made).toBeLessThan(1000);
    socket.destroy();
  });

  test('end when the server closes', async () => {
    let waiting = false;
    const host = await hostWith('running', (signal) =>
      (async function* () {
        yield events[0] as RunEvent;
        waiting = true;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      })(),
    );
    const answer = host.send('GET', '/api/runs/run_1/events');
    await until(() => waiting);
    await host.server.close(30_000);
    expect((await answer).text).toContain('id: 1');
  });
});

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

describe('plugins', () => {
  const view = { name: 'crm', version: '1.0.0', state: 'enabled' };
  const install = async (_ctx: unknown, _admin: unknown, body: Uint8Array) => ({
    created: body.length > 2,
    manifest: { name: '@acme/crm', version: '1.0.0' },
    digest: 'sha256-x',
    state: 'needs_grant',
    permissions_to_grant: { net: ['api.example.com'] },
  });

  test('are installed from the bytes of a bundle', async () => {
    const host = await startHost({ services: { plugins: { install } as never } });
    const made = await host.send('POST', '/api/plugins', { json: { format: 'goflow-bundle/1' } });
    expect([made.status, made.headers['location']]).toEqual([201, '/api/plugins/%40acme%2Fcrm']);
    expect(made.json).toMatchObject({
      name: '@acme/crm',
      digest: 'sha256-x',
      permissions_to_grant: { net: ['api.example.com'] },
      manifest: {},
    });
    expect((await host.send('POST', '/api/plugins', { body: '{}' })).status).toBe(200);
    const form = { body: '{}', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await host.send('POST', '/api/plugins', form)).status).toBe(415);
  });

  test('may be larger than other bodies, up to 20 MiB', async () => {
    const host = await startHost({ maxBody: 1000, services: { plugins: { install } as never } });
    expect((await host.send('POST', '/api/plugins', { body: Buffer.alloc(3_000_000, 32) })).status).toBe(201);
    expect((await host.send('POST', '/api/plugins', { body: Buffer.alloc(20 * 1024 * 1024 + 1, 32) })).status).toBe(
      413,
    );
  });

  test('are granted, switched and rolled back under the name of the path', async () => {
    const asked: unknown[] = [];
    const remember = async (_ctx: unknown, admin: unknown, name: string, ...rest: unknown[]) => {
      asked.push([admin, name, ...rest]);
      return view;
    };
    const host = await startHost({
      services: {
        plugins: {
          grant: remember,
          setEnabled: remember,
          rollback: remember,
          remove: remember,
          view: () => view,
        } as never,
      },
    });
    await host.send('PUT', '/api/plugins/crm/grants', { json: { permissions: { net: ['a.example'], storage: true } } });
    await host.send('POST', '/api/plugins/crm/enable');
    await host.send('POST', '/api/plugins/crm/disable');
    await host.send('POST', '/api/plugins/@acme/crm/rollback');
    expect((await host.send('DELETE', '/api/plugins/crm')).status).toBe(204);
    expect((await host.send('GET', '/api/plugins/crm')).json).toEqual(view);
    const admin = { tenantId: 'default', hostWide: true };
    expect(asked).toEqual([
      [admin, 'crm', { net: ['a.example'], storage: true }],
      [admin, 'crm', true],
      [admin, 'crm', false],
      [admin, '@acme/crm'],
      [admin, 'crm'],
    ]);
  });

  test.each([
    ['{}', '/permissions'],
    ['{"permissions":[]}', '/permissions'],
    ['{"permissions":{"net":"a"}}', '/permissions/net'],
    ['{"permissions":{"connect":[1]}}', '/permissions/connect'],
    ['{"permissions":{"storage":"yes"}}', '/permissions/storage'],
    ['{"permissions":{"fs":true}}', '/permissions/fs'],
    ['{"permission":{}}', '/permission'],
  ])('grants of the shape %s are refused at %s', async (body, pointer) => {
    const host = await startHost();
    const answer = await host.send('PUT', '/api/plugins/crm/grants', { body });
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, pointer]);
  });
});

describe('actions', () => {
  test('are shown with their schemas', async () => {
    const input = { type: 'object', required: ['to'] };
    const plugin = { manifest: { name: 'email', version: '1.0.0', credential: { type: 'object' } } };
    const actions = () => [{ plugin, id: 'send_email', action: { title: 'Send an email', input } }];
    const host = await startHost({ services: { plugins: { actions } as never } });
    const [action] = (await host.send('GET', '/api/actions')).json.items;
    expect(action).toMatchObject({
      id: 'send_email',
      name: 'email/send_email',
      plugin: 'email',
      plugin_version: '1.0.0',
      input,
      output: true,
      needs_credential: true,
    });
  });
});

describe('keys and credentials', () => {
  test('never show what is secret', async () => {
    const record = {
      id: 'key_1',
      name: 'ci',
      role: 'viewer',
      tenant_id: 'default',
      user_id: 'u',
      hash: new Uint8Array([1]),
      created_at: 'now',
    } as const;
    const credential = {
      id: 'cred_1',
      name: 'main',
      plugin: 'email',
      sealed: new Uint8Array([2]),
      is_default: true,
      created_at: 'now',
    };
    const page =
      <T>(item: T) =>
      async () => ({ items: [item], next_cursor: null });
    const { authenticate, mode } = {
      authenticate: () => ({ keyId: null, tenantId: 'default', userId: 'x', role: 'admin', hostWide: true }) as const,
      mode: async () => 'keys' as const,
    };
    const host = await startHost({
      services: {
        auth: {
          authenticate,
          mode,
          keys: { create: async () => ({ record, key: 'gf_viewer_x' }), list: page(record), delete: async () => {} },
        },
        credentials: {
          create: async () => credential as never,
          list: page(credential as never),
          delete: async () => {},
          view: ({ id, name }) => ({ id, name }),
        },
      },
    });
    const shown = { id: 'key_1', name: 'ci', role: 'viewer', tenant_id: 'default', user_id: 'u', created_at: 'now' };
    const made = await host.send('POST', '/api/keys', { json: {} });
    expect([made.status, made.json]).toEqual([201, { ...shown, key: 'gf_viewer_x' }]);
    expect((await host.send('GET', '/api/keys')).json.items).toEqual([shown]);
    expect((await host.send('DELETE', '/api/keys/key_1')).status).toBe(204);
    expect((await host.send('POST', '/api/credentials', { json: {} })).json).toEqual({ id: 'cred_1', name: 'main' });
    expect((await host.send('GET', '/api/credentials')).text).not.toContain('sealed');
    expect((await host.send('DELETE', '/api/credentials/cred_1')).status).toBe(204);
  });
});
