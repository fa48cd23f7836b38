import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from '../support/connector.ts';
import { cleanUp, startHost, type HostProcess, type Json } from '../support/host-process.ts';

const PIN = 4_242_424_242;
const WORD = 'true",';
const CONNECTOR = `
import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';
const input = { type: 'object' } as const;
export default defineConnector({
  name: 'leaky', version: '1.0.0', title: 'Leaky', description: 'Tells everything that it is told.', secrets: 'value',
  credential: { type: 'object', required: ['pin'], properties: { pin: { type: 'integer', writeOnly: true } } },
  actions: {
    tell: defineAction({ title: 'Tell', input, async run(ctx, input) {
      ctx.log.info('pin ' + ctx.credential.pin, { pin: ctx.credential.pin, list: [input], sound: true });
      console.log(input);
      return { input, pin: ctx.credential.pin, [String(ctx.credential.pin)]: 1, sound: true, number: 42 };
    } }),
    throws: defineAction({ title: 'Throw', input, async run(ctx, input) {
      throw new ConnectorError('TOLD', 'pin ' + ctx.credential.pin, { details: { pin: ctx.credential.pin, input } });
    } }),
  },
});`;

let host: HostProcess;

beforeAll(async () => {
  host = await startHost({ env: { GOFLOW_LOG_LEVEL: 'debug' } });
  const bundle = await readFile(await buildConnector(CONNECTOR), 'utf8');
  const installed = await host.request('POST', '/api/plugins', bundle);
  expect(installed.status, JSON.stringify(installed.body)).toBe(201);
  const made = await host.request('POST', '/api/credentials', { name: 'c', plugin: 'leaky', values: { pin: PIN } });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  for (const action of ['tell', 'throws']) {
    const saved = await host.request('PUT', `/api/workflows/${action}`, {
      name: action,
      parameters: [
        { name: 'code', type: 'integer', secret: true },
        { name: 'word', type: 'string', secret: true },
        { name: 'box', type: 'object', secret: true },
      ],
      action,
      config: { code: '{{params.code}}', word: '{{params.word}}', box: '{{params.box}}', text: 'code {{params.code}}' },
    });
    expect(saved.status, JSON.stringify(saved.body)).toBe(201);
  }
});
afterAll(cleanUp);

const PARAMETERS = { code: 987_654_321, word: WORD, box: { name: 'inner-secret', number: 5_551_234 } };
const SECRETS = [String(PIN), '987654321', 'inner-secret', '5551234', JSON.stringify(WORD).slice(1, -1)];

function expectNone(value: unknown): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  for (const secret of SECRETS) expect(text).not.toContain(secret);
}

describe('a secret is masked whatever it looks like, and what is around it stays as it was', () => {
  it('in what a connector returns and logs, numbers and names of members included', async () => {
    const { body: run } = await host.request('POST', '/api/workflows/tell/trigger?wait=20', { parameters: PARAMETERS });
    expect(run, JSON.stringify(run.error)).toMatchObject({
      status: 'succeeded',
      parameters: { code: '***', word: '***', box: '***' },
      output: {
        input: { code: '***', word: '***', box: { name: '***', number: '***' }, text: 'code ***' },
        pin: '***',
        '***': 1,
        sound: true,
        number: 42,
      },
    });
    const logs = await host.request('GET', `/api/runs/${run.id as string}/logs`);
    expect(logs.body.items[0]).toMatchObject({ msg: 'pin ***', fields: { pin: '***', sound: true } });
    const events = await host.request('GET', `/api/runs/${run.id as string}/events`);
    expectNone([run, logs.body, events.body]);
  });

  it('in what a connector throws', async () => {
    const { body: run } = await host.request('POST', '/api/workflows/throws/trigger?wait=20', {
      parameters: PARAMETERS,
    });
    expect(run.status).toBe('failed');
    expect(run.error).toMatchObject({ code: 'TOLD', message: 'pin ***', details: { pin: '***' } });
    expectNone(run);
  });

  it('in a dry run, a replay and a refusal', async () => {
    const dry = await host.request('POST', '/api/workflows/tell/dry-run', { parameters: PARAMETERS });
    expect(dry.status).toBe(200);
    const first = await host.request('POST', '/api/workflows/tell/trigger?wait=20', { parameters: PARAMETERS });
    const replay = await host.request('POST', `/api/runs/${first.body.id as string}/replay`);
    expect(replay.status).toBe(202);
    await host.line((line) => line.msg === 'workflow executed' && line['run_id'] === replay.body.run_id);
    const replayed = await host.request('GET', `/api/runs/${replay.body.run_id as string}`);
    expect((replayed.body as Json).output).toEqual(first.body.output);
    const refused = await host.request('POST', '/api/workflows/tell/trigger', {
      parameters: { code: 'inner-secret', word: 5_551_234 },
    });
    expect(refused.status).toBe(400);
    expectNone([dry.body, replayed.body, refused.body]);
  });

  it('in every line of the log', () => {
    expectNone(host.lines);
  });
});
