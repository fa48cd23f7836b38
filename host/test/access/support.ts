import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../src/core/config.ts';
import { createLogging } from '../../src/core/log.ts';
import { createHost, type Host } from '../../src/host.ts';

/** A whole host in this process, with API keys, real sockets, a real store and the real sandbox. */

export const BOOTSTRAP_KEY = 'bootstrap-key-of-a-test';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

export interface AskOptions {
  readonly key?: string | undefined;
  readonly tenant?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface WholeHost {
  readonly url: string;
  readonly dataDir: string;
  readonly lines: string[];
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** A new key of a tenant. */
  key(tenantId: string, role: string, more?: object): Promise<{ readonly id: string; readonly key: string }>;
  close(): Promise<void>;
}

export async function startWholeHost(env: Record<string, string> = {}): Promise<WholeHost> {
  const root = mkdtempSync(path.join(tmpdir(), 'goflow-access-'));
  const dataDir = path.join(root, 'data');
  mkdirSync(path.join(root, 'plugins'));
  const config = readConfig({
    GOFLOW_PORT: '0',
    GOFLOW_DATA_DIR: dataDir,
    GOFLOW_PLUGINS_DIR: path.join(root, 'plugins'),
    GOFLOW_ADMIN_KEY: BOOTSTRAP_KEY,
    ...env,
  });
  const lines: string[] = [];
  const logging = createLogging({ level: 'debug', levels: {}, write: (line) => void lines.push(line) });
  const host: Host = await createHost(config, logging);

  async function ask(method: string, target: string, options: AskOptions = {}): Promise<Answer> {
    const { key, tenant, body } = options;
    const response = await fetch(host.url + target, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
  }

  return {
    url: host.url,
    dataDir,
    lines,
    ask,
    async key(tenantId, role, more = {}) {
      const body = { name: `${role} of ${tenantId}`, role, tenant_id: tenantId, ...more };
      return (await ask('POST', '/api/keys', { key: BOOTSTRAP_KEY, body })).json as { id: string; key: string };
    },
    async close() {
      await host.close(1000);
      rmSync(root, { recursive: true, force: true });
    },
  };
}
