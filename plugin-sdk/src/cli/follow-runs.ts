import type { HostClient } from './host-client.ts';
import type { Io } from './io.ts';
import { Failure } from './failure.ts';

/** How often new runs are looked for, in milliseconds. */
const LOOK_MS = 250;

interface Step {
  readonly id: string;
  readonly action: string;
  readonly plugin: string | null;
}

/** Shows the runs of a connector as they happen, with their logs, until the signal fires. */
export async function followRuns(host: HostClient, plugin: string, signal: AbortSignal, io: Io): Promise<void> {
  const since = new Date().toISOString();
  const known = new Set<string>();
  const following = new Set<Promise<void>>();
  while (!signal.aborted) {
    const { body } = await host.request('GET', `/api/runs?limit=50&since=${since}`).catch(ignore);
    for (const { id } of ((body['items'] ?? []) as Array<{ id: string }>).toReversed()) {
      if (known.has(id)) continue;
      known.add(id);
      const one = followRun(host, id, plugin, signal, io).catch(ignore);
      following.add(one as Promise<void>);
      void one.finally(() => following.delete(one as Promise<void>));
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, LOOK_MS);
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }
  await Promise.all(following);
}

/** A host that is away for a moment is asked again. */
function ignore(error: unknown): { body: Record<string, unknown> } {
  if (error instanceof Failure || (error instanceof Error && error.name === 'AbortError')) return { body: {} };
  throw error;
}

async function followRun(host: HostClient, id: string, plugin: string, signal: AbortSignal, io: Io): Promise<void> {
  const waiting: string[] = [];
  let ours = false;
  let told = '';
  for await (const { type, data } of host.events(`/api/runs/${id}/events`, signal)) {
    if (type === 'log')
      waiting.push(`  ${String(data['level']).padEnd(5)} ${oneLine(data['msg'])}${fields(data['fields'])}`);
    if (type === 'state') {
      ours ||= ((data['steps'] ?? []) as Step[]).some((step) => step.plugin === plugin);
      const state = stateLine(data);
      if (state !== told) waiting.push((told = state));
    }
    if (!ours) continue;
    for (const line of waiting.splice(0)) io.say(`${id}  ${line}`);
  }
}

function stateLine(run: Record<string, unknown>): string {
  const { status, duration_ms: ms, error } = run;
  const took = typeof ms === 'number' ? ` after ${Math.round(ms)} ms` : '';
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return `${String(status)}${took}${code === undefined ? '' : `: ${code}: ${oneLine(message)}`}`;
}

function fields(value: unknown): string {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
    ? ` ${JSON.stringify(value)}`
    : '';
}

function oneLine(text: unknown): string {
  return String(text).replaceAll(/\p{Cc}+/gu, ' ');
}
