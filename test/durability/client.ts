import type { HostProcess, Json } from '../support/host-process.ts';

/** What the client was told, and holds the host to. */
export interface Acknowledged {
  readonly run: string;
  readonly workflow: string;
  /** The whole run where the answer was 200, else null. */
  readonly ended: Json;
}

export interface LoadClient {
  readonly acknowledged: readonly Acknowledged[];
  /** Requests with an Idempotency-Key: each must have made exactly one run, however often it was sent. */
  readonly keyed: ReadonlyMap<number, string>;
  /** Sends triggers over `connections` until `stop`; what gets no answer is sent again to the next host if it has a key, else forgotten. */
  load(host: HostProcess, workflows: readonly string[], connections: number): { stop(): Promise<void> };
}

export function createLoadClient(random: () => number): LoadClient {
  const acknowledged: Acknowledged[] = [];
  const keyed = new Map<number, string>();
  /** Keyed requests without an answer yet. */
  const open = new Map<number, { readonly workflow: string; readonly wait: string }>();
  let sent = 0;

  async function send(host: HostProcess, n: number, workflow: string, wait: string): Promise<void> {
    const headers: Record<string, string> = open.has(n) ? { 'idempotency-key': `key-${n}` } : {};
    const answer = await host.request(
      'POST',
      `/api/workflows/${workflow}/trigger${wait}`,
      { parameters: { n } },
      headers,
    );
    // A key that is still in hand answers 409 until the first request has been answered.
    if (answer.status === 409) return;
    if (answer.status !== 200 && answer.status !== 202)
      throw new Error(`unexpected answer ${answer.status}: ${JSON.stringify(answer.body)}`);
    const run = (answer.status === 200 ? answer.body.id : answer.body.run_id) as string;
    acknowledged.push({ run, workflow, ended: answer.status === 200 ? answer.body : null });
    if (open.delete(n)) keyed.set(n, run);
  }

  return {
    acknowledged,
    keyed,
    load(host, workflows, connections) {
      let stopped = false;
      const failures: unknown[] = [];
      const work = async (): Promise<void> => {
        while (!stopped) {
          const again = [...open].find(([, { wait }]) => wait !== 'busy');
          const workflow = workflows[Math.floor(random() * workflows.length)] as string;
          const wait = random() < 0.5 ? '' : '?wait=10';
          const [n, request] = again ?? [(sent += 1), { workflow, wait }];
          if (again !== undefined || random() < 0.3) open.set(n, { workflow: request.workflow, wait: 'busy' });
          try {
            await send(host, n, request.workflow, request.wait);
          } catch (error) {
            // The host was killed: fetch fails. Anything else is a finding.
            if (!(error instanceof TypeError)) failures.push(error);
            stopped = true;
          }
          if (open.has(n)) open.set(n, request);
        }
      };
      const workers = Array.from({ length: connections }, () => work());
      return {
        async stop() {
          stopped = true;
          await Promise.all(workers);
          if (failures.length > 0) throw failures[0];
        },
      };
    },
  };
}

/** Every run that the API shows. */
export async function allRuns(host: HostProcess, query = ''): Promise<Json[]> {
  const runs: Json[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await host.request('GET', `/api/runs?limit=200${query}${cursor}`);
    if (status !== 200) throw new Error(`GET /api/runs answered ${status}`);
    runs.push(...body.items);
    if (body.next_cursor === null) return runs;
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
}
