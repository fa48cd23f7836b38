import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from '../support/connector.ts';
import { cleanUp, startHost, tempDir, until, type HostProcess } from '../support/host-process.ts';
import { killTree } from '../support/kill-tree.ts';

const CONNECTOR = `
import { defineAction, defineConnector } from '@goflow/plugin-sdk';
const action = (idempotent: boolean) => defineAction({
  title: 'Wait',
  idempotent,
  input: { type: 'object', properties: { ms: { type: 'integer' } }, additionalProperties: false },
  async run(ctx, input) {
    await ctx.sleep(input.ms ?? 0);
    return { attempt: ctx.attempt, key: ctx.idempotencyKey };
  },
});
export default defineConnector({
  name: 'waiting', version: '1.0.0', title: 'Waiting', description: 'Waits.',
  actions: { wait: action(true), wait_once: action(false) },
});
`;

/** SIGKILL to the host and everything below it, as a power cut would. */
async function kill(host: HostProcess): Promise<void> {
  killTree(host.child.pid as number);
  await host.stop('SIGKILL');
}

describe('after a kill -9 of the whole process tree', () => {
  let bundle: string;
  beforeAll(async () => {
    bundle = await buildConnector(CONNECTOR);
  });
  afterAll(cleanUp);

  async function prepared(): Promise<{
    dataDir: string;
    pluginsDir: string;
    host: HostProcess;
    make: (action: string, ms: number) => Promise<string>;
  }> {
    const dataDir = await tempDir();
    const pluginsDir = await tempDir();
    await copyFile(bundle, path.join(pluginsDir, path.basename(bundle)));
    const host = await startHost({ dataDir, pluginsDir });
    const make = async (action: string, ms: number) => {
      const made = await host.request('POST', '/api/workflows', { name: action, action, config: { ms } });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      return made.body.id as string;
    };
    return { dataDir, pluginsDir, host, make };
  }

  it('every acknowledged run is there and ends, each attempt that was cut off with the next number', async () => {
    const { dataDir, pluginsDir, host, make } = await prepared();
    const slow = await make('wait', 1500);
    const quick = await make('wait', 0);
    const acknowledged: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      const answer = await host.request('POST', `/api/workflows/${count % 2 === 0 ? slow : quick}/trigger`, {});
      expect(answer.status).toBe(202);
      acknowledged.push(answer.body.run_id as string);
    }
    await kill(host);

    const next = await startHost({ dataDir, pluginsDir });
    for (const id of acknowledged) {
      const { body } = await until(
        () => next.request('GET', `/api/runs/${id}`),
        (answer) => answer.status === 200 && answer.body.finished_at !== null,
      );
      expect(body.status, JSON.stringify(body)).toBe('succeeded');
      expect(body.output.attempt).toBe(body.attempt);
      expect(body.output.key).toContain(id);
    }
    const again = await next.request('GET', `/api/runs/${acknowledged[0]}`);
    expect(again.body.attempt).toBe(2);
    await next.stop();
  });

  it('an attempt of an action that is not idempotent is not run again', async () => {
    const { dataDir, pluginsDir, host, make } = await prepared();
    const workflow = await make('wait_once', 5000);
    const { body } = await host.request('POST', `/api/workflows/${workflow}/trigger`, {});
    await until(
      () => host.request('GET', `/api/runs/${body.run_id}`),
      (answer) => answer.body.status === 'running',
    );
    await kill(host);
    const next = await startHost({ dataDir, pluginsDir });
    const run = await until(
      () => next.request('GET', `/api/runs/${body.run_id}`),
      (answer) => answer.body.finished_at !== null,
    );
    expect(run.body).toMatchObject({ status: 'failed', error: { code: 'INTERRUPTED' }, ended_by: 'restart' });
    await next.stop();
  });

  it('SIGTERM lets runs in flight finish, and returns the rest to the queue', async () => {
    const { dataDir, pluginsDir, host, make } = await prepared();
    const short = await make('wait', 400);
    const waiting = host.request('POST', `/api/workflows/${short}/trigger?wait=10`, {});
    const long = await make('wait', 1000);
    const left = await host.request('POST', `/api/workflows/${long}/trigger`, {});
    await host.line((line) => line.msg === 'request finished' && line['run_id'] === left.body.run_id);
    expect(await host.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect((await waiting).body.status).toBe('succeeded');

    const quick = await startHost({ dataDir, pluginsDir, env: { GOFLOW_DRAIN_TIMEOUT: '0' } });
    const cut = await quick.request('POST', `/api/workflows/${long}/trigger`, {});
    expect(await quick.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    const next = await startHost({ dataDir, pluginsDir });
    const run = await until(
      () => next.request('GET', `/api/runs/${cut.body.run_id}`),
      (answer) => answer.body.finished_at !== null,
    );
    expect(run.body.status).toBe('succeeded');
    await next.stop();
  });
});
