import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from './support/connector.ts';
import { cleanUp, startHost, tempDir, until, type HostProcess } from './support/host-process.ts';

/**
 * A connector that is given its secrets in clear text (`"secrets": "value"`) and gives them away in every way that it has. Afterwards nothing that the
 * host has answered, printed or written holds one of them, in any of the forms that a text takes on its way.
 */
const mark = (): string => randomBytes(9).toString('hex');
/** The middle of the secrets below: however they are escaped, and however often, it stays as it is. */
const MARKS = [mark(), mark()] as const;
const TOKEN = `tok "${MARKS[0]}\\/ ü+=&%`;
const NESTED = `nested-${mark()}`;
const PARAMETER = `par'${MARKS[1]}<é>&?#`;
const NUMBER = 1_000_000_000 + Number.parseInt(randomBytes(3).toString('hex'), 16);
const HOST_LABEL = `label${mark()}`;
const WEBHOOK_SECRET = Buffer.from(randomBytes(24)).toString('base64');
const ADMIN_KEY = `bootstrap-${mark()}`;
const MASTER_KEY = randomBytes(32).toString('base64');

const SOURCE = (port: number): string => `
import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';

const input = {
  type: 'object',
  required: ['how', 'parameter', 'number'],
  properties: { how: { type: 'string' }, parameter: { type: 'string' }, number: { type: 'integer' }, label: { type: 'string' } },
  additionalProperties: false,
} as const;
const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const forms = (text: string) => [
  text, JSON.stringify(text), JSON.stringify(JSON.stringify({ text })), encodeURIComponent(text), new URLSearchParams({ text }).toString(),
  base64(text), base64(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''), base64('user:' + text),
  'before' + text + 'after',
];

export default defineConnector({
  name: 'leaky',
  version: '1.0.0',
  secrets: 'value',
  permissions: { net: ['127.0.0.1:${String(port)}'], storage: true },
  credential: {
    type: 'object',
    required: ['token'],
    properties: {
      token: { type: 'string', writeOnly: true },
      deep: { type: 'object', writeOnly: true, properties: { nested: { type: 'string' } } },
    },
  },
  actions: {
    leak: defineAction({
      input,
      timeout_ms: 2000,
      async run(ctx, given) {
        const credential = ctx.credential as { token: string; deep: { nested: string } };
        const secrets = [credential.token, credential.deep.nested, given.parameter, String(given.number)];
        const all = secrets.flatMap(forms);
        switch (given.how) {
          case 'return':
            return { credential, given, all, number: given.number, keys: Object.fromEntries(all.map((text, i) => [text, i])) };
          case 'log':
            for (const text of all) {
              ctx.log.info(text, { field: text, [text]: 1 });
              console.error(text, { text });
            }
            ctx.log.warn('number', { number: given.number });
            ctx.progress(0.5, all.join(' '));
            return null;
          case 'throw':
            throw new ConnectorError(credential.token, all.join(' '), { details: { all, given, credential } });
          case 'throw error': {
            const error = new TypeError(all.join('\\n'), { cause: new Error(credential.token) });
            error.name = credential.token;
            error.stack = all.join('\\n');
            Object.assign(error, { code: given.parameter, credential });
            throw error;
          }
          case 'throw value':
            throw all;
          case 'reject later':
            void Promise.reject(new Error(all.join(' ')));
            setTimeout(() => { throw new Error(all.join(' ')); }, 1);
            await ctx.sleep(50);
            return null;
          case 'store':
            await ctx.storage.set('token', { credential, given });
            return ctx.storage.get('token');
          case 'fetch': {
            const url = new URL('http://127.0.0.1:${String(port)}/' + encodeURIComponent(credential.token));
            url.searchParams.set('q', given.parameter);
            const response = await fetch(url, { method: 'POST', headers: { 'x-token': base64(credential.token) }, body: all.join('\\n') });
            return { status: response.status, body: await response.text(), headers: Object.fromEntries(response.headers) };
          }
          case 'fetch elsewhere':
            return (await fetch('https://' + given.label + '.example.com/' + encodeURIComponent(credential.token))).status;
          case 'fetch nonsense':
            return (await fetch('http://' + all.join(' '))).status;
          case 'spin':
            ctx.log.info(all.join(' '));
            for (;;);
          case 'exhaust': {
            const hoard: string[][] = [];
            ctx.log.info(all.join(' '));
            for (;;) hoard.push(Array.from({ length: 100_000 }, (_, i) => credential.token + i));
          }
          default:
            throw new Error(given.how);
        }
      },
    }),
  },
});
`;

describe('secrets that a connector gives away', () => {
  let server: Server;
  let host: HostProcess;
  let workflowId: string;
  let echoed = '';
  /** Every answer of the API, whole. */
  const answers: string[] = [];

  async function ask(method: string, target: string, body?: unknown, headers: Record<string, string> = {}) {
    const auth = { authorization: `Bearer ${ADMIN_KEY}`, ...headers };
    const answer = await host.request(method, target, body, auth);
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    answers.push(`${method} ${target} ${String(answer.status)} ${JSON.stringify([...answer.headers])} ${text}`);
    return answer;
  }

  const trigger = (how: string, wait = 20) =>
    ask('POST', `/api/workflows/${workflowId}/trigger?wait=${String(wait)}`, {
      parameters: { how, parameter: PARAMETER, number: NUMBER, label: HOST_LABEL },
    });

  beforeAll(async () => {
    server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        echoed += `${req.url ?? ''} ${Buffer.concat(chunks).toString()}`;
        res.setHeader('x-echo', String(req.headers['x-token']));
        res.end(`${req.url ?? ''}\n${JSON.stringify(req.headers)}\n${Buffer.concat(chunks).toString()}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const dataDir = await tempDir();
    const env = {
      GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${String(port)}`,
      GOFLOW_ADMIN_KEY: ADMIN_KEY,
      GOFLOW_MASTER_KEY: MASTER_KEY,
      GOFLOW_LOG_LEVEL: 'debug',
    };
    host = await startHost({ dataDir, env });
    const bundle = await buildConnector(SOURCE(port));
    await copyFile(bundle, path.join(host.pluginsDir, path.basename(bundle)));
    await until(
      () => host.request('GET', '/api/plugins/leaky', undefined, { authorization: `Bearer ${ADMIN_KEY}` }),
      ({ status }) => status === 200,
    );
    const permissions = { net: [`127.0.0.1:${String(port)}`], storage: true };
    expect((await ask('PUT', '/api/plugins/leaky/grants', { permissions })).status).toBe(200);
    const values = { token: TOKEN, deep: { nested: NESTED } };
    expect((await ask('POST', '/api/credentials', { name: 'main', plugin: 'leaky', values })).status).toBe(201);
    const secret = { secret: true, required: true };
    const made = await ask('POST', '/api/workflows', {
      name: 'Leak',
      parameters: [
        { name: 'how', type: 'string', required: true },
        { name: 'parameter', type: 'string', ...secret },
        { name: 'number', type: 'integer', ...secret },
        { name: 'label', type: 'string', ...secret },
      ],
      action: 'leaky/leak',
      config: {
        how: '{{params.how}}',
        parameter: '{{params.parameter}}',
        number: '{{params.number}}',
        label: '{{params.label}}',
      },
    });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    workflowId = made.body.id as string;
  });

  afterAll(async () => {
    await cleanUp();
    server.close();
  });

  it.each([
    ['return', 'succeeded'],
    ['log', 'succeeded'],
    ['throw', 'failed'],
    ['throw error', 'failed'],
    ['throw value', 'failed'],
    ['reject later', undefined],
    ['store', 'succeeded'],
    ['fetch', 'succeeded'],
    ['fetch elsewhere', 'failed'],
    ['fetch nonsense', 'failed'],
    ['spin', 'timed_out'],
    ['exhaust', 'failed'],
    ['something else', 'failed'],
  ])('are masked where it does this with them: %s', async (how, status) => {
    const answer = await trigger(how);
    expect(answer.status).toBe(200);
    if (status !== undefined) expect(answer.body.status, JSON.stringify(answer.body.error)).toBe(status);
    // It did have them: the masks are in the place of something.
    if (how === 'return' || how === 'throw') expect(JSON.stringify(answer.body)).toContain('***');
    if (how === 'fetch') expect(echoed).toContain(TOKEN);
    await ask('GET', `/api/runs/${answer.body.id}`);
    await ask('GET', `/api/runs/${answer.body.id}/logs?limit=200`);
    await ask('GET', `/api/runs/${answer.body.id}/events`);
    assertNone(answers.splice(0));
  });

  it('are masked in refusals, dry runs, replays, webhooks and every other answer', async () => {
    const parameters = { how: 'return', parameter: PARAMETER, number: NUMBER, label: HOST_LABEL };
    await ask('POST', `/api/workflows/${workflowId}/dry-run`, { parameters });
    await ask('POST', `/api/workflows/${workflowId}/dry-run`, { parameters: { ...parameters, how: 5 } });
    await ask('POST', `/api/workflows/${workflowId}/trigger`, { parameters: { ...parameters, number: TOKEN } });
    await ask('POST', `/api/workflows/${workflowId}/trigger`, {
      parameters: { ...parameters, parameter: [PARAMETER] },
    });
    await ask('POST', '/api/credentials', {
      name: 'bad',
      plugin: 'leaky',
      values: { token: [TOKEN], deep: NESTED },
    });
    await ask('POST', '/api/credentials', { name: 'main', plugin: 'leaky', values: { token: TOKEN } });
    const hook = await ask('POST', `/api/webhooks/${workflowId}?plain=1`, parameters);
    expect(hook.status).toBe(200);
    await until(
      () => ask('GET', `/api/runs/${hook.body.run_id}`),
      ({ body }) => body.status === 'succeeded',
    );
    const replay = await ask('POST', `/api/runs/${hook.body.run_id}/replay`);
    await until(
      () => ask('GET', `/api/runs/${replay.body.run_id}`),
      ({ body }) => body.status === 'succeeded',
    );
    const webhook = { secret: `whsec_${WEBHOOK_SECRET}` };
    expect((await ask('PATCH', `/api/workflows/${workflowId}`, { webhook })).body.webhook).toEqual({ signed: true });
    for (const target of [
      '/api/runs?limit=200',
      '/api/workflows',
      '/api/credentials',
      '/api/plugins/leaky',
      '/api/actions',
      '/api/keys',
      '/api/audit',
      '/api/openapi.json',
      '/metrics',
      '/readyz',
    ]) {
      expect((await ask('GET', target)).status).toBe(200);
    }
    assertNone(answers.splice(0));
  });

  it('are in no file and no line of a host that is killed in the middle of it, nor of one that ended well', async () => {
    const made = await ask('POST', '/api/keys', { name: 'ci', role: 'viewer' });
    answers.length = 0;
    const runs = Promise.allSettled([trigger('spin', 5), trigger('log', 5), trigger('store', 5)]);
    await host.line((line) => line.msg === 'request finished' && line['route'] === '/api/keys');
    await until(
      async () => host.lines.length,
      (count) => count > 20,
    );
    await host.stop('SIGKILL');
    await runs;
    const output = [host.lines.map((line) => JSON.stringify(line)).join('\n'), host.stderr()];
    const key = String(made.body.key);
    const keys = [key.slice(-43), WEBHOOK_SECRET, ADMIN_KEY, MASTER_KEY];
    assertNone([...output, ...(await files(host.dataDir))], keys);

    // What the crash left is taken up, and ends; then the host ends.
    const env = { GOFLOW_ADMIN_KEY: ADMIN_KEY, GOFLOW_MASTER_KEY: MASTER_KEY, GOFLOW_LOG_LEVEL: 'debug' };
    host = await startHost({ dataDir: host.dataDir, pluginsDir: host.pluginsDir, env });
    await until(
      () => ask('GET', '/api/runs?limit=200'),
      ({ body }) => body.items.every((run: { status: string }) => run.status !== 'running' && run.status !== 'queued'),
      25_000,
    );
    const stored = await files(host.dataDir);
    expect(stored.some((content) => content.includes('SQLite format 3'))).toBe(true);
    assertNone([...answers.splice(0), ...stored], keys);
    expect(await host.stop()).toEqual({ code: 0, signal: null });
    const last = [host.lines.map((line) => JSON.stringify(line)).join('\n'), host.stderr()];
    assertNone([...last, ...(await files(host.dataDir))], keys);
  });
});

/** Every file below a folder, byte for byte. */
async function files(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(found.map(async (file) => `${file}\n${await readFile(file, 'latin1')}`));
}

/** The forms that a secret takes in texts, in files read byte by byte too. */
function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const base64 = Buffer.from(secret).toString('base64');
  const forms = [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    base64.replaceAll('=', ''),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ];
  return [...new Set([...forms, ...forms.map((form) => Buffer.from(form).toString('latin1'))])];
}

function assertNone(texts: readonly string[], more: readonly string[] = []): void {
  const secrets = [...MARKS, TOKEN, NESTED, PARAMETER, String(NUMBER), HOST_LABEL, ...more];
  for (const text of texts) {
    for (const secret of secrets) {
      for (const form of formsOf(secret)) {
        const at = text.indexOf(form);
        if (at !== -1) expect.fail(`"${form}" in …${text.slice(Math.max(0, at - 300), at + form.length + 100)}…`);
      }
    }
  }
}
