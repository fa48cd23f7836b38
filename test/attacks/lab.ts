import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { buildFolder } from '../support/connector.ts';
import { enginesOf, isAlive } from './processes.ts';
import { ROOT, startHost, tempDir, until, type Answer, type HostProcess, type Json } from '../support/host-process.ts';

const KEY = 'the-key-of-the-lab-0123456789abcdef';
export const ATTACKER = path.join(ROOT, 'test/attacks/hostile');

export interface Trigger {
  /** Seconds; the deadline of the run. @default 30 */
  readonly timeout?: number;
  /** Rendered as the action's input. */
  readonly config?: object;
  readonly retry?: object;
  readonly credential?: string;
}

/** A built host with the hostile connector in it. Every tenant of it is a tenant of its own for quarantine, too. */
export interface Lab {
  readonly host: HostProcess;
  readonly pid: number;
  /** What an admin sends as `Authorization`. */
  readonly authorization: string;
  request(method: string, target: string, body?: unknown, tenant?: string): Promise<Answer>;
  /** Makes a workflow of one action; gives its trigger's path. */
  prepare(tenant: string, action: string, options?: Trigger): Promise<string>;
  /** Triggers and waits for the end; gives the run. */
  run(tenant: string, action: string, options?: Trigger): Promise<Json>;
  /** Triggers and does not wait; gives the id of the run. */
  begin(tenant: string, action: string, options?: Trigger): Promise<string>;
  /** SIGKILLs the engine that serves; resolves when it is gone. */
  killEngine(): Promise<void>;
  /** The run, when `fits` holds for it. */
  runWhen(tenant: string, id: string, fits: (run: Json) => boolean): Promise<Json>;
}

export interface LabOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  readonly pluginsDir?: string;
}

/** A plugins directory with the hostile connector and the first-party `testing`. */
export async function hostilePlugins(): Promise<string> {
  const folder = await tempDir();
  await Promise.all(
    [ATTACKER, path.join(ROOT, 'plugins/testing')].map(async (source) => {
      const bundle = await buildFolder(source);
      await copyFile(bundle, path.join(folder, path.basename(bundle)));
    }),
  );
  return folder;
}

export async function startLab({ env = {}, dataDir, pluginsDir }: LabOptions = {}): Promise<Lab> {
  const host = await startHost({
    env: { GOFLOW_ADMIN_KEY: KEY, ...env },
    pluginsDir: pluginsDir ?? (await hostilePlugins()),
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  const prepared = new Map<string, Promise<string>>();

  function request(method: string, target: string, body?: unknown, tenant = 'default'): Promise<Answer> {
    return host.request(method, target, body, { authorization: `Bearer ${KEY}`, 'x-tenant-id': tenant });
  }

  function prepare(tenant: string, action: string, options: Trigger = {}): Promise<string> {
    const name = JSON.stringify([tenant, action, options]);
    let path = prepared.get(name);
    if (path === undefined) prepared.set(name, (path = create(tenant, action, options)));
    return path;
  }

  async function create(tenant: string, action: string, options: Trigger): Promise<string> {
    const { timeout = 30, config = {}, ...more } = options;
    const workflow = {
      name: action,
      action: action.includes('/') ? action : `hostile/${action}`,
      config,
      execution_timeout: timeout,
      ...more,
    };
    const answer = await request('POST', '/api/workflows', workflow, tenant);
    if (answer.status !== 201) throw new Error(`no workflow: ${JSON.stringify(answer.body)}`);
    return `/api/workflows/${answer.body.id}/trigger`;
  }

  const lab: Lab = {
    host,
    pid: host.child.pid as number,
    authorization: `Bearer ${KEY}`,
    request,
    prepare,
    async run(tenant, action, options) {
      const trigger = await prepare(tenant, action, options);
      const answer = await request('POST', `${trigger}?wait=60`, {}, tenant);
      if (answer.status !== 200)
        throw new Error(`${action} of ${tenant}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async begin(tenant, action, options) {
      const trigger = await prepare(tenant, action, options);
      const answer = await request('POST', trigger, {}, tenant);
      if (answer.status !== 202)
        throw new Error(`${action} of ${tenant}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body.run_id as string;
    },
    async killEngine() {
      const [engine] = enginesOf(host.child.pid as number);
      if (engine === undefined) throw new Error('no engine process is there to be killed');
      process.kill(engine, 'SIGKILL');
      await until(
        async () => isAlive(engine),
        (alive) => !alive,
      );
    },
    async runWhen(tenant, id, fits) {
      const { body } = await until(
        () => request('GET', `/api/runs/${id}`, undefined, tenant),
        (answer) => answer.status === 200 && fits(answer.body),
      );
      return body;
    },
  };
  const granted = await until(
    () => request('GET', '/api/plugins/hostile'),
    (answer) => answer.status === 200,
  );
  if (granted.body.state === 'needs_grant') {
    const permissions = {
      net: ['{{credential.host}}:{{credential.web}}'],
      connect: ['{{credential.host}}:{{credential.port}}'],
      storage: true,
    };
    const answer = await request('PUT', '/api/plugins/hostile/grants', { permissions });
    if (answer.status !== 200) throw new Error(`not granted: ${JSON.stringify(answer.body)}`);
  }
  return lab;
}

/** Runs that harm nobody, one after the other on several lanes, until `stop`; every one of them has to succeed. */
export interface Innocents {
  readonly answered: number;
  /** What went wrong, one line each. */
  readonly lost: readonly string[];
  /** Ends them and waits for the last. */
  stop(): Promise<void>;
}

/** Half of them are on the hostile plugin itself, sharing its threads, half on another. */
export function startInnocents(lab: Lab, lanes = 4): Innocents {
  let stopped = false;
  const isStopped = () => stopped;
  let answered = 0;
  const lost: string[] = [];
  async function lane(number: number): Promise<void> {
    const shares = number % 2 === 0;
    while (!isStopped()) {
      try {
        const run = shares
          ? await lab.run('innocent', 'answer', { config: { ms: 20 }, timeout: 300 })
          : await lab.run('innocent', 'testing/testing', { config: { delay_ms: 20 }, timeout: 300 });
        if (run.status === 'succeeded') answered += 1;
        else lost.push(`${run.id} ${run.status} ${JSON.stringify(run.error)}`);
      } catch (error) {
        lost.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const all = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return {
    get answered() {
      return answered;
    },
    lost,
    async stop() {
      stopped = true;
      await all;
    },
  };
}
