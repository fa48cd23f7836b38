import { describe, expect, test } from 'vitest';
import type { RunFilter } from '../../src/store/store.ts';
import { RUN, startHost } from './harness.ts';

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
