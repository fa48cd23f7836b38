import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, ROOT, startHost, until, type Answer, type HostProcess } from '../support/host-process.ts';

const ADMIN_KEY = 'bootstrap-key-of-this-test';
const RUNNING = 10;
const QUEUED = 20;

describe('a host with more work than places', () => {
  let host: HostProcess;
  const workflows = new Map<string, string>();

  const send = (tenant: string, method: string, target: string, body?: unknown): Promise<Answer> =>
    host.request(method, target, body, { authorization: `Bearer ${ADMIN_KEY}`, 'x-tenant-id': tenant });
  const trigger = (tenant: string, wait = ''): Promise<Answer> =>
    send(tenant, 'POST', `/api/workflows/${workflows.get(tenant)}/trigger${wait}`, {});

  beforeAll(async () => {
    host = await startHost({
      pluginsDir: path.join(ROOT, 'plugins'),
      env: { GOFLOW_ADMIN_KEY: ADMIN_KEY, GOFLOW_MAX_RUNNING: String(RUNNING), GOFLOW_MAX_QUEUED: String(QUEUED) },
    });
    for (const [tenant, delay_ms] of Object.entries({ busy: 400, quiet: 0 })) {
      const made = await send(tenant, 'POST', '/api/workflows', { name: 'T', action: 'testing', config: { delay_ms } });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      workflows.set(tenant, made.body.id as string);
    }
    expect((await trigger('busy', '?wait=20')).body.status).toBe('succeeded');
  });
  afterAll(cleanUp);

  it('refuses what is past the bound with 429 and Retry-After, serves a quiet tenant meanwhile, and drops nothing', async () => {
    const accepted: string[] = [];
    const refused: Answer[] = [];
    // In a row: what is being written is in no queue yet.
    while (refused.length < 3) {
      const answer = await trigger('busy');
      if (answer.status === 202) accepted.push(answer.body.run_id as string);
      else refused.push(answer);
    }
    expect(accepted.length).toBeGreaterThanOrEqual(RUNNING * 0.8 + QUEUED);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 429, body: { code: 'OVERLOADED' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const quiet = await trigger('quiet', '?wait=20');
    expect(quiet).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    const waiting = await send('busy', 'GET', '/api/runs?status=queued&limit=200');
    expect(waiting.body.items.length).toBeGreaterThan(0);
    for (const id of accepted)
      await until(
        () => send('busy', 'GET', `/api/runs/${id}`),
        ({ body }) => body.status === 'succeeded',
      );
    expect((await trigger('busy')).status).toBe(202);
    await host.stop();
  });
});
