import { systemContext } from '../../core/context.ts';
import { GoflowError } from '../../core/errors.ts';
import { ref } from '../openapi/schemas.ts';
import { json } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import type { HealthCheck, HttpServices } from '../services.ts';

/** How long the store may take to say that it is there, in milliseconds. */
const STORE_PATIENCE_MS = 2000;

const ANSWERS = { 200: ['Well.', ref('Health')], 503: ['Not well; `checks` says what.', ref('Health')] } as const;

export const healthRoutes: readonly Route[] = [
  probe('/healthz', 'live', 'Whether the process answers', ({ health }) => answer(health.live())),
  probe('/readyz', 'ready', 'Whether work is taken', ready),
  probe('/health', 'health', 'The same as /readyz', ready),
];

function probe(
  path: string,
  id: string,
  summary: string,
  handle: (services: HttpServices) => Reply | Promise<Reply>,
): Route {
  return defineRoute({
    method: 'GET',
    path,
    act: 'public',
    anyHost: true,
    query: 'any',
    body: 'none',
    doc: { id, tag: 'Operations', summary, answers: ANSWERS, problems: [] },
    handle,
  });
}

// Probes that arrive while the store is being asked share its answer, so that nobody can make it busy with them.
const asking = new WeakMap<object, Promise<HealthCheck>>();

async function ready({ health, store }: HttpServices): Promise<Reply> {
  let check = asking.get(store);
  if (check === undefined) {
    check = pingStore(store).finally(() => asking.delete(store));
    asking.set(store, check);
  }
  return answer({ store: await check, ...health.ready() });
}

async function pingStore(store: HttpServices['store']): Promise<HealthCheck> {
  const late = Promise.withResolvers<HealthCheck>();
  const timer = setTimeout(
    () => late.resolve({ ok: false, detail: `no answer within ${STORE_PATIENCE_MS} ms` }),
    STORE_PATIENCE_MS,
  );
  try {
    const ping = store.ping(systemContext()).then(
      (): HealthCheck => ({ ok: true }),
      (error: unknown): HealthCheck => ({ ok: false, detail: reasonOf(error) }),
    );
    return await Promise.race([ping, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Probes are public: the file and what to do are in the log. */
function reasonOf(error: unknown): string {
  if (!(error instanceof GoflowError)) return 'the database does not answer';
  return error.code === 'STORE_FULL'
    ? 'no space left: the database cannot be written'
    : 'the database cannot be read or written; the log of the host says why';
}

function answer(checks: Readonly<Record<string, HealthCheck>>): Reply {
  const shown: Record<string, { status: string; detail?: string }> = {};
  let ok = true;
  for (const [name, check] of Object.entries(checks)) {
    ok &&= check.ok;
    shown[name] = {
      status: check.ok ? 'ok' : 'failed',
      ...(check.detail === undefined ? undefined : { detail: check.detail }),
    };
  }
  return json(ok ? 200 : 503, { status: ok ? 'ok' : 'unavailable', checks: shown });
}
