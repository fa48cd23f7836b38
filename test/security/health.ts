import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const POLLER = fileURLToPath(new URL('health-poller.mjs', import.meta.url));

/** Answers of `/healthz`, times in milliseconds. */
export interface Health {
  readonly asked: number;
  /** Not 200, or none at all. */
  readonly bad: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Begins to ask a host for its health from another process; the function ends that and tells. */
export function pollHealth(url: string): () => Promise<Health> {
  const child = spawn(process.execPath, [POLLER, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return async () => {
    child.stdin.end();
    await ended;
    return JSON.parse(said) as Health;
  };
}
