import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, startHost, type HostProcess } from '../support/host-process.ts';
import { pollHealth } from './health.ts';
import { ATTACKS, exchange, type Target } from './http-attacks.ts';
import { prepareTarget } from './http-target.ts';

describe('the built host', () => {
  let host: HostProcess;
  let target: Target;
  let health: ReturnType<typeof pollHealth>;
  let slow: Promise<number[]>;
  const slowBodies = ATTACKS.find(({ name }) => name === 'slow bodies')!;

  beforeAll(async () => {
    host = await startHost({ env: { GOFLOW_LOG_LEVEL: 'warn', GOFLOW_LOG_LEVELS: 'host=info' } });
    target = await prepareTarget(host);
    health = pollHealth(host.url);
    // The one that takes its time runs behind all the others.
    slow = slowBodies.run(target, 1);
  }, 60_000);
  afterAll(cleanUp);

  it.each(ATTACKS.filter((one) => one !== slowBodies))('holds against $name', async ({ allowed, run }) => {
    const statuses = await run(target, 1);
    expect([...new Set(statuses)].filter((status) => !allowed.includes(status))).toEqual([]);
    if (!allowed.includes(0) && allowed.length > 0 && !allowed.includes(408))
      expect(statuses.length).toBeGreaterThan(0);
    expect((await fetch(`${host.url}/healthz`)).status).toBe(200);
  });

  it('ends bodies that dribble, each with 408', async () => {
    const statuses = await slow;
    expect(statuses.length).toBe(200);
    expect(new Set(statuses)).toEqual(new Set([408]));
  });

  it('answered everybody else meanwhile', async () => {
    const { asked, bad } = await health();
    expect(asked).toBeGreaterThan(100);
    expect(bad).toBe(0);
    expect(host.child.exitCode).toBe(null);
    expect(host.lines.filter((line) => line.level === 'error' || line.level === 'fatal')).toEqual([]);
    expect(host.stderr()).toBe('');
    // Nothing was polluted: an object that nobody gave that member has none.
    expect((await host.request('GET', '/api/workflows?limit=1')).body.items[0].polluted).toBe(undefined);
  });

  it('says the same few things about itself in every answer, and opens itself to no other origin', async () => {
    const paths = ['/healthz', '/api/workflows', '/api/nothing', '/docs', '/api/openapi.json', '/metrics'];
    for (const path of paths) {
      const { headers } = await fetch(host.url + path);
      expect.soft(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect.soft(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect.soft(headers.get('content-security-policy'), path).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect.soft(headers.get('x-trace-id'), path).toMatch(/^[0-9a-f]{32}$/);
      expect.soft(headers.get('x-powered-by'), path).toBe(null);
      expect.soft(headers.get('server'), path).toBe(null);
    }
    const garbage = await exchange(target.port, 'GARBAGE\r\n\r\n');
    expect(garbage).toMatch(/X-Content-Type-Options: nosniff/);
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example'])
      for (const [method, extra] of [
        ['OPTIONS', 'Access-Control-Request-Method: POST\r\n'],
        ['GET', ''],
        ['POST', 'Content-Length: 0\r\n'],
      ] as const) {
        const answer = await exchange(
          target.port,
          `${method} /api/workflows HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: ${origin}\r\n${extra}\r\n`,
        );
        expect.soft(answer, `${method} ${origin}`).toMatch(/^HTTP\/1.1 403 /);
        expect.soft(answer.toLowerCase(), `${method} ${origin}`).not.toContain('access-control-allow');
      }
    const rebound = await exchange(
      target.port,
      'GET /api/workflows HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(rebound).toMatch(/^HTTP\/1.1 403 /);
  });
});
