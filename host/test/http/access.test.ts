import { describe, expect, test } from 'vitest';
import { may, type Act } from '../../src/auth/permissions.ts';
import { ROLES } from '../../src/core/records.ts';
import { createHttpMetrics } from '../../src/http/metrics.ts';
import { allRoutes } from '../../src/http/routes/index.ts';
import type { Route } from '../../src/http/route.ts';
import { startHost, until } from './harness.ts';

const routes = allRoutes(createHttpMetrics());
const urlOf = (route: Route): string => route.path.replace(/:[a-z]+/g, 'nobody');

describe('keys and roles', () => {
  test.each(
    routes.filter((route) => route.act !== 'public').map((route) => [`${route.method} ${route.path}`, route] as const),
  )('%s lets in the roles that may, and no others, whether the thing exists or not', async (_name, route) => {
    const host = await startHost({ locked: true });
    const none = await host.send(route.method, urlOf(route));
    expect([none.status, none.json.code, none.headers['www-authenticate']]).toEqual([
      401,
      'UNAUTHENTICATED',
      'Bearer realm="goflow"',
    ]);
    const act = route.act as Act;
    for (const role of ROLES) {
      const answer = await host.send(route.method, urlOf(route), { headers: { authorization: `Bearer ${role}` } });
      expect([role, answer.status === 403]).toEqual([role, !may(role, act) || route.hostWide === true]);
      expect(answer.status).not.toBe(401);
      expect(answer.status).toBeLessThan(500);
    }
  });

  test('public routes ask for none', async () => {
    const host = await startHost({ locked: true });
    const statuses = await Promise.all(
      routes
        .filter(({ act }) => act === 'public')
        .map(async (route) => (await host.send(route.method, urlOf(route))).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 404]));
  });

  test('are looked at before the body', async () => {
    const host = await startHost({ locked: true });
    const answer = await host.send('POST', '/api/workflows', {
      body: '{broken',
      headers: { authorization: 'Bearer viewer' },
    });
    expect(answer.status).toBe(403);
  });
});

describe('open mode', () => {
  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '127.1.2.3', '[::1]:8080', '[::1]'])(
    'answers to the Host %s',
    async (name) => {
      const host = await startHost();
      expect((await host.send('GET', '/api/runs', { headers: { host: name } })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'localhost:80.evil.example',
    '127.0.0.1:',
    '192.168.1.1',
    '0.0.0.0',
    '[::]',
    'localhost@evil.example',
    '2130706433',
  ])('refuses the Host "%s"', async (name) => {
    const host = await startHost();
    for (const path of ['/api/runs', '/docs', '/api/nothing', '/api/openapi.json']) {
      const answer = await host.send('GET', path, { headers: { host: name } });
      expect([path, answer.status, answer.json.code]).toEqual([path, 403, 'FOREIGN_ORIGIN']);
    }
    expect((await host.send('POST', '/api/webhooks/wf_1', { headers: { host: name } })).status).toBe(403);
    expect((await host.send('GET', '/healthz', { headers: { host: name } })).status).toBe(200);
  });

  test('refuses requests that name no Host', async () => {
    const host = await startHost();
    for (const request of [
      'GET /api/runs HTTP/1.0\r\n\r\n',
      'GET /api/runs HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n',
    ]) {
      expect(await host.raw(request)).toMatch(/^HTTP\/1.1 403 /);
    }
  });

  test.each(['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:1'])(
    'answers to pages of %s',
    async (origin) => {
      const host = await startHost();
      expect((await host.send('GET', '/api/runs', { headers: { origin } })).status).toBe(200);
    },
  );

  test.each([
    'null',
    'https://evil.example',
    'http://localhost.evil.example',
    'file://',
    'chrome-extension://localhost',
    'http://localhost, http://evil.example',
  ])('refuses pages of %s', async (origin) => {
    const host = await startHost();
    const answer = await host.send('POST', '/api/workflows/wf_1/trigger', { headers: { origin }, json: {} });
    expect([answer.status, host.triggers]).toEqual([403, []]);
  });

  test('is no matter once there are keys', async () => {
    const host = await startHost({ locked: true });
    const headers = { host: 'goflow.example', origin: 'https://app.example', authorization: 'Bearer viewer' };
    const answer = await host.send('GET', '/api/runs', { headers });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('every answer', () => {
  test('has a trace id and the security headers', async () => {
    const host = await startHost({ locked: true, maxBody: 100 });
    const big = { headers: { authorization: 'Bearer admin' }, body: 'x'.repeat(101) };
    const answers = await Promise.all([
      host.send('GET', '/healthz'),
      host.send('GET', '/nothing'),
      host.send('GET', '/api/runs'),
      host.send('PATCH', '/healthz'),
      host.send('POST', '/api/workflows', big),
      host.send('DELETE', '/api/workflows/wf_1', { headers: { authorization: 'Bearer admin' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 401, 405, 413, 204]);
    for (const { headers } of answers) {
      expect(headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  test('continues a good traceparent and ignores a bad one', async () => {
    const host = await startHost();
    const trace = async (traceparent: string) =>
      (await host.send('GET', '/healthz', { headers: { traceparent } })).headers['x-trace-id'];
    const good = '0123456789abcdef0123456789abcdef';
    expect(await trace(`00-${good}-0123456789abcdef-00`)).toBe(good);
    for (const bad of [
      `00-${good}-0123456789abcdef`,
      `00-${'0'.repeat(32)}-0123456789abcdef-01`,
      `ff-${good}-0123456789abcdef-01`,
      'x',
    ]) {
      expect(await trace(bad)).toMatch(/^(?!0123)[0-9a-f]{32}$/);
    }
  });
});

describe('the access log', () => {
  test('has one line per finished request, without its query and body', async () => {
    const host = await startHost({ locked: true });
    await host.send('POST', '/api/workflows/wf_1/trigger?wait=1', {
      json: { parameters: { password: 'hunter2' } },
      headers: { authorization: 'Bearer trigger' },
    });
    await host.send('GET', '/api/nothing?key=hunter2', { headers: { authorization: 'Bearer hunter2' } });
    await until(() => host.logs.length === 2);
    expect(host.logs[0]).toMatchObject({
      component: 'http',
      level: 'info',
      msg: 'request finished',
      method: 'POST',
      route: '/api/workflows/:id/trigger',
      path: '/api/workflows/wf_1/trigger',
      status: 200,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      user_id: 'trigger@acme',
      tenant_id: 'acme',
      workflow_id: 'wf_1',
      run_id: 'run_1',
      duration_ms: expect.any(Number),
    });
    expect(host.logs[1]).toMatchObject({ path: '/api/nothing', status: 404, 'error.code': 'NOT_FOUND' });
    expect(JSON.stringify(host.logs)).not.toContain('hunter2');
  });
});
