import { readFile } from 'node:fs/promises';
import { buildConnector } from '../support/connector.ts';
import type { HostProcess, Json } from '../support/host-process.ts';

export interface ProbeOptions {
  readonly version?: string;
  readonly permissions?: object;
  readonly secrets?: 'value' | 'placeholder';
}

/** A connector that tries what its input says, one after the other, and tells what became of each. */
export function probeSource({ version = '1.0.0', permissions = {}, secrets = 'placeholder' }: ProbeOptions): string {
  return `
import { defineActionFor, defineConnector } from '@goflow/plugin-sdk';
const credential = {
  type: 'object',
  properties: { host: { type: 'string' }, port: { type: 'integer' }, token: { type: 'string', writeOnly: true } },
} as const;

async function attempt(ctx: any, one: any) {
  if (one.storage !== undefined) return { stored: await ctx.storage.set('key', one.storage) ?? 'stored' };
  if (one.connect !== undefined) {
    const socket = ctx.connect(one.connect, one.options);
    await socket.opened;
    await socket.close();
    return { connected: true };
  }
  const fill = (text: any) => (typeof text === 'string' ? text.replaceAll('TOKEN', ctx.credential?.token) : text);
  const headers = (one.headers ?? []).map(([name, value]: [string, string]) => [name, fill(value)]);
  const response = await ctx.fetch(fill(one.url), { method: one.method, redirect: one.redirect, headers, body: fill(one.body) });
  if (one.measure === true) return { status: response.status, bytes: (await response.arrayBuffer()).byteLength };
  return { status: response.status, url: response.url, headers: [...response.headers], text: await response.text() };
}

export default defineConnector({
  name: 'probe', version: '${version}', title: 'Probe', description: 'Tries.', secrets: '${secrets}',
  credential, permissions: ${JSON.stringify(permissions)},
  limits: { memory_mb: 256, concurrency: 16, timeout_ms: 30000 },
  actions: {
    probe: defineActionFor(credential)({
      title: 'Probe', idempotent: true,
      input: { type: 'object', required: ['attempts'], properties: { attempts: { type: 'array' } } },
      async run(ctx: any, input: any) {
        const results = [];
        for (const one of input.attempts) {
          try { results.push(await attempt(ctx, one)); }
          catch (error: any) { results.push({ code: error?.code ?? error?.name, message: String(error?.message) }); }
        }
        return { results, credential: ctx.credential };
      },
    }),
  },
});
`;
}

export async function probeBundle(options: ProbeOptions): Promise<string> {
  return readFile(await buildConnector(probeSource(options)), 'utf8');
}

/** Makes a workflow that probes; the function runs it and gives its run. */
export async function probing(
  host: HostProcess,
): Promise<(attempts: readonly object[], wait?: number) => Promise<Json>> {
  const made = await host.request('POST', '/api/workflows', {
    name: 'probe',
    parameters: [{ name: 'attempts', type: 'array' }],
    action: 'probe',
    config: { attempts: '{{params.attempts}}' },
    execution_timeout: 60,
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return async (attempts, wait = 30) =>
    (await host.request('POST', `/api/workflows/${made.body.id}/trigger?wait=${wait}`, { parameters: { attempts } }))
      .body;
}
