import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { LEAST_ROLE } from '../../src/auth/permissions.ts';
import { HOST_ERRORS } from '../../src/core/errors.ts';
import { createHttpMetrics } from '../../src/http/metrics.ts';
import { openApiPath } from '../../src/http/openapi/document.ts';
import { SCHEMAS } from '../../src/http/openapi/schemas.ts';
import { allRoutes } from '../../src/http/routes/index.ts';
import { startHost, WORKFLOW } from './harness.ts';

const routes = allRoutes(createHttpMetrics());

describe('the OpenAPI document', () => {
  test('is valid against the schema of OpenAPI 3.1', async () => {
    const document = (await (await startHost()).send('GET', '/api/openapi.json')).json;
    const result = await new Validator().validate(document);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  test('has every route of the router, and nothing but those and the triggers of the workflows', async () => {
    const document = (await (await startHost()).send('GET', '/api/openapi.json')).json;
    const documented = Object.entries(document.paths as Record<string, object>).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = routes.map(({ method, path }) => `${method} ${openApiPath(path)}`);
    expect(documented.toSorted()).toEqual([...served, `POST /api/workflows/${WORKFLOW.id}/trigger`].toSorted());
  });

  test('refers to schemas that exist, under ids that are used once', async () => {
    const { text, json } = await (await startHost()).send('GET', '/api/openapi.json');
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(json.components.schemas).toHaveProperty([name as string]);
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('types the parameters of each workflow', async () => {
    const document = (await (await startHost()).send('GET', '/api/openapi.json')).json;
    const operation = document.paths['/api/workflows/wf_1/trigger'].post;
    expect(operation.summary).toBe('Send Welcome Email');
    expect(operation.requestBody.content['application/json'].schema).toEqual({
      type: 'object',
      required: ['parameters'],
      additionalProperties: false,
      properties: {
        parameters: {
          type: 'object',
          required: ['customer_name'],
          additionalProperties: false,
          properties: {
            customer_name: { type: 'string', maxLength: 80 },
            plan: { type: 'string', default: 'free', enum: ['free', 'pro'] },
            token: { type: 'string', writeOnly: true },
          },
        },
      },
    });
  });
});

describe('the page at /docs', () => {
  test('holds all that it needs and may run nothing else', async () => {
    const answer = await (await startHost({ locked: true })).send('GET', '/docs');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.text).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(answer.text).not.toMatch(/innerHTML|eval\(|document\.write| on[a-z]+=/);
    const policy = answer.headers['content-security-policy'] as string;
    expect(policy).toContain("default-src 'none'");
    for (const tag of ['script', 'style']) {
      const parts = [...answer.text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))];
      expect(parts.length).toBe(1);
      const hash = createHash('sha256')
        .update(parts[0]?.[1] as string)
        .digest('base64');
      expect(policy).toContain(`${tag}-src 'sha256-${hash}'`);
    }
  });

  test('has a script that parses', async () => {
    const { SCRIPT } = await import('../../src/http/docs/script.ts');
    const { Script } = await import('node:vm');
    expect(() => new Script(SCRIPT)).not.toThrow();
  });
});

describe('docs/API.md', () => {
  const page = readFile(new URL('../../../docs/API.md', import.meta.url), 'utf8');

  test('lists every route with the role that it needs, and no other', async () => {
    const rows = [...(await page).matchAll(/^\| `(GET|POST|PUT|PATCH|DELETE) (\/[^`]*)` \| (\S+) \|/gm)];
    const listed = rows.map(([, method, path, role]) => `${method} ${path} ${role}`);
    const served = routes.map(
      ({ method, path, act }) => `${method} ${path} ${act === 'public' ? 'public' : LEAST_ROLE[act]}`,
    );
    expect(listed.toSorted()).toEqual(served.toSorted());
  });

  test('lists every error code with its status, and no other', async () => {
    const rows = [...(await page).matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(
      ([, code, status]) => `${code} ${status}`,
    );
    expect(rows.toSorted()).toEqual(
      Object.entries(HOST_ERRORS)
        .map(([code, { status }]) => `${code} ${status}`)
        .toSorted(),
    );
  });

  test('says what the members of an ending mean', async () => {
    const { RunEnding, Run } = SCHEMAS;
    const members = [...(await page).matchAll(/^\| `ending\.(\w+)` \|/gm)].map(([, name]) => name);
    expect(members).toEqual(Object.keys(RunEnding['properties'] as object));
    expect(Object.keys(Run['properties'] as object)).toEqual(expect.arrayContaining(['ended_by', 'ending']));
  });

  test('lists every query parameter of every route', async () => {
    const text = await page;
    for (const { query } of routes)
      for (const name of Object.keys(query === 'any' ? {} : query)) expect(text).toContain(`\`${name}\``);
  });
});

describe('health', () => {
  test('is 200 with its checks, or 503 with what is wrong', async () => {
    const well = await startHost({ locked: true });
    expect((await well.send('GET', '/readyz')).json).toEqual({
      status: 'ok',
      checks: { store: { status: 'ok' }, engine: { status: 'ok' } },
    });
    const ill = await startHost({
      services: {
        store: { ping: async () => Promise.reject(new Error('disk at /secret')) } as never,
        health: {
          live: () => ({ process: { ok: true } }),
          ready: () => ({ engine: { ok: false, detail: 'no engine process runs' } }),
        },
      },
    });
    for (const path of ['/readyz', '/health']) {
      const answer = await ill.send('GET', path);
      expect([
        answer.status,
        answer.json.status,
        answer.json.checks.store.status,
        answer.json.checks.engine.detail,
      ]).toEqual([503, 'unavailable', 'failed', 'no engine process runs']);
      expect(answer.text).not.toContain('secret');
    }
    expect((await ill.send('GET', '/healthz')).status).toBe(200);
  });

  test('answers HEAD without a body', async () => {
    const answer = await (await startHost()).send('HEAD', '/healthz');
    expect([answer.status, answer.text, Number(answer.headers['content-length']) > 0]).toEqual([200, '', true]);
  });

  test('asks the store once for many probes at a time', async () => {
    let pings = 0;
    const ping = async (): Promise<void> => {
      pings++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    };
    const host = await startHost({ services: { store: { ping } as never } });
    await Promise.all(Array.from({ length: 20 }, () => host.send('GET', '/readyz')));
    expect(pings).toBeLessThan(20);
  });
});

describe('metrics', () => {
  test('are Prometheus text of requests by route, of the process and of other rooms', async () => {
    const metrics = () => [
      {
        name: 'goflow_runs_total',
        help: 'Runs.',
        type: 'counter' as const,
        samples: [{ labels: { status: 'a"b\\c\nd' }, value: 3 }],
      },
    ];
    const host = await startHost({ services: { metrics } });
    await host.send('GET', '/api/runs/run_1');
    await host.send('GET', '/api/runs/run_9');
    await host.send('BREW', '/coffee');
    const { text, headers } = await host.send('GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('goflow_http_requests_total{method="GET",route="/api/runs/:id",status="200"} 1');
    expect(text).toContain('goflow_http_requests_total{method="GET",route="/api/runs/:id",status="404"} 1');
    expect(text).toContain(
      'goflow_http_request_duration_seconds_bucket{method="GET",route="/api/runs/:id",le="+Inf"} 2',
    );
    expect(text).toContain('goflow_http_request_duration_seconds_count{method="GET",route="/api/runs/:id"} 2');
    expect(text).toContain('goflow_runs_total{status="a\\"b\\\\c\\nd"} 3');
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).not.toContain('coffee');
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [0-9.e+-]+)$/);
  });
});
