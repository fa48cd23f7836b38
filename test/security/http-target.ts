import path from 'node:path';
import { readFile, readdir } from 'node:fs/promises';
import { ROOT, type Json } from '../support/host-process.ts';
import type { Target } from './http-attacks.ts';

/** What the attacks need of a host. */
interface Asked {
  readonly url: string;
  request(method: string, target: string, body?: unknown): Promise<{ readonly status: number; readonly body: Json }>;
}

/** Makes the workflows that the attacks are aimed at, and a run that goes on for two minutes. */
export async function prepareTarget(host: Asked): Promise<Target> {
  const dist = path.join(ROOT, 'plugins/testing/dist');
  const [file = ''] = (await readdir(dist)).filter((name) => name.endsWith('.goflow.json'));
  await made(host, '/api/plugins', await readFile(path.join(dist, file), 'utf8'));
  const workflow = async (body: object): Promise<string> =>
    (await made(host, '/api/workflows', { name: 'target', ...body })).id;
  const long = await workflow({ action: 'testing', config: { delay_ms: 20_000, response: 1 } });
  const run = await made(host, `/api/workflows/${long}/trigger`, {});
  return {
    port: Number(new URL(host.url).port),
    open: await workflow({
      parameters: [
        { name: 'text', type: 'string' },
        { name: 'n', type: 'integer' },
      ],
    }),
    pattern: await workflow({ parameters: [{ name: 'text', type: 'string', pattern: '^(a+)+$' }] }),
    unique: await workflow({
      parameters: [{ name: 'list', type: 'array', uniqueItems: true, items: { type: 'object' } }],
    }),
    run: run.run_id,
  };
}

async function made(host: Asked, target: string, body: unknown): Promise<Json> {
  const answer = await host.request('POST', target, body);
  if (answer.status >= 300) throw new Error(`${target}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
