import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEAST_ROLE, may, type Act } from '../../src/auth/permissions.ts';
import { ROLES } from '../../src/core/records.ts';
import { createHttpMetrics } from '../../src/http/metrics.ts';
import type { Route } from '../../src/http/route.ts';
import { allRoutes } from '../../src/http/routes/index.ts';
import { bundleText } from '../plugin/support/bundle.ts';
import { BOOTSTRAP_KEY, startWholeHost, type Answer, type AskOptions, type WholeHost } from './support.ts';

/**
 * Every route × who asks: nobody, a stranger, each role of the tenant, the admin of another tenant, the bootstrap key in and outside the tenant. The
 * routes come from the table that the host serves, and what is expected from the table of roles: a new route is in here by itself, or the test
 * says what it needs to know of it.
 */
const routes = allRoutes(createHttpMetrics());
const guarded = routes.filter((route) => route.act !== 'public').map((route) => [nameOf(route), route] as const);
const named = guarded.filter(([, route]) => route.path.includes(':'));

function nameOf(route: Route): string {
  return `${route.method} ${route.path}`;
}

let host: WholeHost;
const keys: Record<string, string> = {};
let made = 0;
const fresh = (): string => `x${String(++made)}`;

beforeAll(async () => {
  host = await startWholeHost();
  for (const role of ROLES) keys[role] = (await host.key('acme', role)).key;
  const revoked = await host.key('acme', 'admin');
  await host.ask('DELETE', `/api/keys/${revoked.id}`, { key: BOOTSTRAP_KEY, tenant: 'acme' });
  keys['revoked'] = revoked.key;
  keys['rival'] = (await host.key('rival', 'admin')).key;
});
afterAll(() => host.close());

/** What a route that names a thing is asked for: something of acme's, made for the occasion. */
const THINGS: Readonly<Record<string, () => Promise<string>>> = {
  workflow: async () => (await asAdmin('POST', '/api/workflows', { name: fresh() })).json.id as string,
  run: async () => {
    const workflow = await (THINGS['workflow'] as () => Promise<string>)();
    return (await asAdmin('POST', `/api/workflows/${workflow}/trigger?wait=10`, {})).json.id as string;
  },
  credential: async () => {
    const body = { service_name: fresh(), api_key: 'abc' };
    return (await asAdmin('POST', '/api/credentials', body)).json.id as string;
  },
  key: async () => (await host.key('acme', 'viewer')).id,
  plugin: async () => {
    const name = `acme-${fresh()}`;
    for (const version of ['1.0.0', '1.0.1']) {
      expect((await asAdmin('POST', '/api/plugins', bundleText({ name, version }))).status).toBe(201);
    }
    return name;
  },
};

function asAdmin(method: string, path: string, body: unknown): Promise<Answer> {
  return host.ask(method, path, { key: keys['admin'], body });
}

function thingOf(route: Route): string {
  if (route.path.startsWith('/api/workflows/')) return 'workflow';
  if (route.path.startsWith('/api/runs/')) return 'run';
  if (route.path.startsWith('/api/credentials/')) return 'credential';
  if (route.path.startsWith('/api/keys/')) return 'key';
  if (route.path.startsWith('/api/plugins/')) return 'plugin';
  throw new Error(`${nameOf(route)} names a thing that this test does not know how to make`);
}

const make = (thing: string): Promise<string> => (THINGS[thing] as () => Promise<string>)();

/** A good body of the routes that need one, by the id of the operation. */
const BODIES: Readonly<Record<string, () => unknown>> = {
  createWorkflow: () => ({ name: fresh() }),
  putWorkflow: () => ({ name: fresh() }),
  patchWorkflow: () => ({ description: fresh() }),
  dryRunDraft: () => ({ name: fresh() }),
  installPlugin: () => bundleText({ name: `tool-${fresh()}` }),
  grantPlugin: () => ({ permissions: { net: [], connect: [], storage: false } }),
  createCredential: () => ({ service_name: fresh(), api_key: 'abc' }),
  createKey: () => ({ name: fresh(), role: 'viewer' }),
  putLogLevels: () => ({ levels: { scheduler: 'info' } }),
};

function ask(route: Route, thing: string, options: AskOptions): Promise<Answer> {
  const path = route.path.replace(/:[a-z]+/, encodeURIComponent(thing));
  const body = BODIES[route.doc.id]?.();
  if (body === undefined && (route.body === 'json' || route.body === 'bundle')) {
    throw new Error(`${nameOf(route)} needs a body that this test does not know`);
  }
  return host.ask(route.method, path, { ...options, ...(body === undefined ? {} : { body }) });
}

/** A thing of its own, for who may change or delete it. */
const ownFor = (route: Route): Promise<string> =>
  route.path.includes(':') ? make(thingOf(route)) : Promise.resolve('');

/** One for all who are kept out: that it outlives them is part of what is tested. */
const shared = new Map<string, Promise<string>>();
function sharedFor(route: Route): Promise<string> {
  if (!route.path.includes(':')) return Promise.resolve('');
  const thing = thingOf(route);
  const known = shared.get(thing) ?? make(thing);
  shared.set(thing, known);
  return known;
}

describe('without a good key', () => {
  test.each(guarded)('%s answers 401', async (_name, route) => {
    const thing = await sharedFor(route);
    for (const key of [undefined, 'wrong', `gf_admin_${'A'.repeat(43)}`, keys['revoked'], `${BOOTSTRAP_KEY}x`]) {
      const answer = await ask(route, thing, { key });
      expect([answer.status, answer.json.code]).toEqual([401, 'UNAUTHENTICATED']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="goflow"');
    }
  });
});

describe('each role of the tenant', () => {
  test.each(guarded)('%s lets in who may, and 403 to the others', async (_name, route) => {
    for (const role of ROLES) {
      const allowed = may(role, route.act as Act) && route.hostWide !== true;
      const thing = await (allowed && route.method !== 'GET' ? ownFor(route) : sharedFor(route));
      const answer = await ask(route, thing, { key: keys[role] });
      if (allowed) expectGood(route, role, answer);
      else expect([role, answer.status, answer.json.code]).toEqual([role, 403, 'FORBIDDEN']);
    }
    // The bootstrap key may all that the strongest role may, where it is told to act in the tenant.
    expectGood(route, 'bootstrap', await ask(route, await ownFor(route), { key: BOOTSTRAP_KEY, tenant: 'acme' }));
  });

  test.each(named)('%s says 403 before 404: a role that may not learns nothing', async (_name, route) => {
    for (const role of ROLES.filter((one) => !may(one, route.act as Act))) {
      const answer = await ask(route, 'not-there', { key: keys[role] });
      expect([role, answer.status]).toEqual([role, 403]);
    }
  });
});

/** One of the statuses that the route's documentation gives, and not one that keeps somebody out. */
function expectGood(route: Route, who: string, answer: Answer): void {
  const good = Object.keys(route.doc.answers).map(Number);
  // A run that has ended cannot be cancelled: what matters here is that it was found.
  const expected = route.doc.id === 'cancelRun' ? [...good, 409] : good;
  expect(expected, `${who}: ${String(answer.status)} ${answer.text.slice(0, 300)}`).toContain(answer.status);
}

describe("another tenant's", () => {
  // What is not there and what is another's must not be told apart, or ids can be tried out.
  test.each(named)('%s answers 404, as for what does not exist', async (_name, route) => {
    const thing = await sharedFor(route);
    const creates = route.doc.id === 'putWorkflow';
    for (const who of [{ key: keys['rival'] }, { key: BOOTSTRAP_KEY }, { key: BOOTSTRAP_KEY, tenant: 'rival' }]) {
      const theirs = await ask(route, thing, who);
      expect([theirs.status, theirs.json?.code]).toEqual([404, 'NOT_FOUND']);
      // A free id may be taken by PUT.
      if (creates) continue;
      const missing = thing.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      const nothing = await ask(route, missing, who);
      expect(shapeOf(nothing, missing)).toEqual(shapeOf(theirs, thing));
    }
    // It is as it was, for its owner.
    const read = `${route.path.slice(0, route.path.indexOf('/:'))}/${encodeURIComponent(thing)}`;
    if (thingOf(route) !== 'key' && thingOf(route) !== 'credential') {
      expect((await host.ask('GET', read, { key: keys['admin'] })).status).toBe(200);
    } else {
      const list = await host.ask('GET', `${read.slice(0, read.lastIndexOf('/'))}?limit=200`, { key: keys['admin'] });
      expect(list.text).toContain(thing);
    }
  });

  test('things are in no list, document or figure that a tenant sees', async () => {
    const things = await Promise.all(Object.keys(THINGS).map((thing) => make(thing)));
    const lists = guarded.filter(
      ([, route]) => route.method === 'GET' && route.hostWide !== true && !route.path.includes(':'),
    );
    expect(lists.length).toBeGreaterThan(6);
    for (const [name, route] of lists) {
      const answer = await ask(route, '', { key: keys['rival'] });
      expect([name, answer.status]).toEqual([name, 200]);
      for (const thing of things) expect(answer.text, name).not.toContain(thing);
    }
  });

  test('workflow id that a person chose can be chosen again, and is another workflow', async () => {
    await host.ask('PUT', '/api/workflows/orders', { key: keys['admin'], body: { name: 'Of acme' } });
    const theirs = await host.ask('PUT', '/api/workflows/orders', { key: keys['rival'], body: { name: 'Of rival' } });
    expect([theirs.status, theirs.json.version]).toEqual([201, 1]);
    await host.ask('DELETE', '/api/workflows/orders', { key: keys['rival'] });
    expect((await host.ask('GET', '/api/workflows/orders', { key: keys['admin'] })).json.name).toBe('Of acme');
  });

  test('keys are not made by an admin of one tenant for another', async () => {
    const body = { name: 'mine', role: 'admin', tenant_id: 'acme' };
    expect((await host.ask('POST', '/api/keys', { key: keys['rival'], body })).status).toBe(403);
  });

  test('tenant header counts for the bootstrap key alone', async () => {
    const workflow = await make('workflow');
    const answer = await host.ask('GET', `/api/workflows/${workflow}`, { key: keys['rival'], tenant: 'acme' });
    expect(answer.status).toBe(404);
  });
});

/** What an answer tells, apart from the id that was asked for. */
function shapeOf(answer: Answer, thing: string): unknown {
  const { trace_id: _, ...problem } = answer.json as Record<string, unknown>;
  const headers = [...answer.headers.keys()].sort();
  return { status: answer.status, headers, problem: JSON.stringify(problem).replaceAll(thing, 'ID') };
}

describe('public routes', () => {
  test.each(routes.filter(({ act }) => act === 'public').map((route) => [nameOf(route), route] as const))(
    '%s asks for no key and heeds none',
    async (_name, route) => {
      const webhook = route.path.startsWith('/api/webhooks/');
      const thing = webhook ? await make('workflow') : '';
      for (const key of [undefined, 'wrong', keys['rival']]) {
        expect((await ask(route, thing, { key })).status).toBe(200);
      }
    },
  );

  test('are these, and no others', () => {
    expect(
      routes
        .filter(({ act }) => act === 'public')
        .map((route) => nameOf(route))
        .sort(),
    ).toEqual(['GET /docs', 'GET /health', 'GET /healthz', 'GET /readyz', 'POST /api/webhooks/:id']);
  });
});

test('each act of the table of roles has a route', () => {
  const used = new Set(routes.map(({ act }) => act));
  for (const act of Object.keys(LEAST_ROLE)) expect(used).toContain(act);
});
