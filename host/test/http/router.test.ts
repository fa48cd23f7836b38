import { describe, expect, test } from 'vitest';
import { createHttpMetrics } from '../../src/http/metrics.ts';
import { parseQuery, parseTime } from '../../src/http/query.ts';
import { createRouter } from '../../src/http/router.ts';
import { allRoutes } from '../../src/http/routes/index.ts';

const router = createRouter(allRoutes(createHttpMetrics()));

describe('the router', () => {
  test.each([
    ['POST', '/api/workflows/wf_1/trigger', 'triggerWorkflow', { id: 'wf_1' }],
    ['GET', '/api/workflows/', 'listWorkflows', {}],
    ['POST', '/api/workflows/dry-run', 'dryRunDraft', {}],
    ['GET', '/api/workflows/dry-run', 'getWorkflow', { id: 'dry-run' }],
    ['HEAD', '/healthz', 'live', {}],
    ['GET', '/api/plugins/@acme%2Fcrm', 'getPlugin', { name: '@acme/crm' }],
    ['PUT', '/api/plugins/@acme/crm/grants', 'grantPlugin', { name: '@acme/crm' }],
    ['GET', '/api/plugins/%40acme', 'getPlugin', { name: '@acme' }],
    ['GET', '/api/runs/a%2F..%2Fb', 'getRun', { id: 'a/../b' }],
  ])('%s %s is %s', (method, path, id, params) => {
    const match = router.find(method, path);
    expect(match.kind === 'route' && [match.route.doc.id, match.params]).toEqual([id, params]);
  });

  test.each([
    '/',
    '/api',
    '/api/workflows//trigger',
    '/api/runs/a/b/c',
    '//',
    `/${'a/'.repeat(5000)}`,
    '/api/constructor',
    '/__proto__',
  ])('%s is nothing', (path) => {
    expect(router.find('GET', path).kind).toBe('none');
  });

  test('names the methods that a path has', () => {
    expect(router.find('POST', '/api/workflows/dry-run/')).toMatchObject({ kind: 'route' });
    expect(router.find('PATCH', '/api/workflows/dry-run')).toMatchObject({ kind: 'route' });
    expect(router.find('DELETE', '/api/workflows')).toEqual({
      kind: 'method',
      allow: ['GET', 'HEAD', 'POST', 'OPTIONS'],
    });
    expect(router.find('POST', '/api/workflows/x')).toEqual({
      kind: 'method',
      allow: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    });
  });

  test('refuses a path with a broken escape', () => {
    expect(() => router.find('GET', '/api/runs/%zz')).toThrow('malformed escape');
  });
});

describe('a query', () => {
  const spec = {
    limit: { kind: 'integer', min: 1, max: 200, default: 50, description: '' },
    wait: { kind: 'number', min: 0, max: 60, description: '' },
    status: { kind: 'enum', values: ['queued', 'running'], description: '' },
    since: { kind: 'time', description: '' },
  } as const;

  test('gives checked values and defaults', () => {
    const query = parseQuery(spec, 'wait=0.25&status=queued&since=2026-01-31T12:00:00%2B02:00');
    expect([
      query.number('limit'),
      query.number('wait'),
      query.text('status'),
      query.text('since'),
      query.text('cursor'),
    ]).toEqual([50, 0.25, 'queued', '2026-01-31T10:00:00.000Z', undefined]);
  });

  test.each([
    'limit=0',
    'limit=201',
    'limit=',
    'limit=1.5',
    'limit=1e1',
    'limit=0x10',
    'limit=+1',
    'limit=NaN',
    'wait=-1',
    'wait=Infinity',
    'wait=61',
    'status=done',
    'since=yesterday',
    'limit=1&limit=2',
    'color=red',
    '__proto__=1',
    'a/b=1',
  ])('%s is refused with its pointer', (search) => {
    const name = search.slice(0, search.indexOf('=')).replace('/', '~1');
    expect(() => parseQuery(spec, search)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        problems: [expect.objectContaining({ pointer: `/query/${name}` })],
      }),
    );
  });

  test('is refused with every problem', () => {
    expect(() => parseQuery(spec, 'limit=0&status=x&y=1')).toThrow(
      expect.objectContaining({ problems: expect.objectContaining({ length: 3 }) }),
    );
  });

  test('has times as in RFC 3339 and no others', () => {
    expect(parseTime('2024-02-29T23:59:59.5z')).toBe('2024-02-29T23:59:59.500Z');
    expect(parseTime('2026-01-31T12:00:00 02:00')).toBe('2026-01-31T10:00:00.000Z');
    for (const wrong of [
      '2026-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-31',
      '2026-01-31T12:00:00',
      '2026-01-31T25:00:00Z',
      '1769860800',
    ]) {
      expect([wrong, parseTime(wrong)]).toEqual([wrong, null]);
    }
  });
});
