import { describe, expect, test } from 'vitest';
import { type AuthOptions, createAuth } from '../../src/auth/auth.ts';
import { LEAST_ROLE, may } from '../../src/auth/permissions.ts';
import { bootstrapPrincipal, OPEN_PRINCIPAL, type Principal } from '../../src/auth/principal.ts';
import { newContext } from '../../src/core/context.ts';
import { createLogging } from '../../src/core/log.ts';
import { ROLES } from '../../src/core/records.ts';
import { openCleanStore } from '../plugin/support/store.ts';

const ADMIN_KEY = 'a bootstrap key';
const CTX = newContext({ tenantId: 'default', userId: 'dev' });
const ACME = newContext({ tenantId: 'acme', userId: 'ann' });
const PAGE = { limit: 50 };

async function open(options: Partial<AuthOptions> = {}) {
  const store = await openCleanStore();
  const lines: string[] = [];
  const logging = createLogging({ level: 'debug', levels: {}, write: (line) => void lines.push(line) });
  const auth = createAuth({ store, log: logging.for('auth'), adminKey: ADMIN_KEY, loopback: true, ...options });
  const bearer = (key: string, tenant?: string) =>
    Promise.resolve().then(() => auth.authenticate(CTX, `Bearer ${key}`, tenant));
  const make = async (body: object, principal: Principal = bootstrapPrincipal('default')) =>
    auth.keys.create(CTX, principal, { name: 'ci', role: 'editor', ...body });
  return { auth, bearer, make, lines, store };
}

describe('the bootstrap key', () => {
  test('may do all, in the tenant that the header names', async () => {
    const { bearer } = await open();
    expect(await bearer(ADMIN_KEY)).toEqual(bootstrapPrincipal('default'));
    expect(await bearer(ADMIN_KEY, 'acme')).toMatchObject({ tenantId: 'acme', role: 'admin', hostWide: true });
  });

  test.each(['', 'a b', 'x'.repeat(65), 'ä', '../x'])('does not act in a tenant that cannot be: %j', async (tenant) => {
    const { bearer } = await open();
    await expect(bearer(ADMIN_KEY, tenant)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  test.each([
    ['another key', `Bearer ${ADMIN_KEY}x`],
    ['a part of it', 'Bearer a'],
    ['another scheme', `Basic ${ADMIN_KEY}`],
    ['no key', 'Bearer '],
    ['a key that was never made', `Bearer gf_admin_${'A'.repeat(43)}`],
    ['nothing', undefined],
  ])('is not %s', async (_what, header) => {
    const { auth } = await open();
    await expect(Promise.resolve().then(() => auth.authenticate(CTX, header, undefined))).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      details: { www_authenticate: 'Bearer realm="goflow"' },
    });
  });
});

describe('a key', () => {
  test('is shown once, acts in its tenant with its role, and is stored hashed', async () => {
    const { make, bearer, auth, lines } = await open();
    const { key, record } = await make({ tenant_id: 'acme', user_id: 'ann@example.com', role: 'trigger' });
    expect(key).toMatch(/^gf_trigger_[A-Za-z0-9_-]{43}$/);
    expect(await bearer(key)).toEqual({
      keyId: record.id,
      tenantId: 'acme',
      userId: 'ann@example.com',
      role: 'trigger',
      hostWide: false,
    });
    expect(record.id).toMatch(/^key_[0-9a-f]{32}$/);
    const listed = JSON.stringify((await auth.keys.list(ACME, PAGE)).items);
    expect(listed).toContain(record.id);
    expect(listed + lines.join('')).not.toContain(key.slice(-43));
  });

  test('stays in its tenant, whatever the header names', async () => {
    const { make, bearer } = await open();
    const { key } = await make({ tenant_id: 'acme' });
    expect(await bearer(key, 'default')).toMatchObject({ tenantId: 'acme' });
    expect(await bearer(key, '../x')).toMatchObject({ tenantId: 'acme' });
  });

  test('stands for a user of its own when none is named', async () => {
    const { make, bearer } = await open();
    const { key, record } = await make({});
    expect(await bearer(key)).toMatchObject({ tenantId: 'default', userId: record.id });
  });

  test('is answered without waiting once it is known', async () => {
    const { make, auth, bearer } = await open();
    const { key } = await make({});
    await bearer(key);
    expect(auth.authenticate(CTX, `bearer  ${key}`, undefined)).not.toBeInstanceOf(Promise);
  });

  test('opens nothing from when it was revoked on', async () => {
    const { make, auth, bearer } = await open();
    const { key, record } = await make({});
    await bearer(key);
    await auth.keys.delete(CTX, record.id);
    await expect(bearer(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(auth.keys.delete(CTX, record.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that was looked up while it was revoked is not believed afterwards', async () => {
    const { make, auth, bearer, store } = await open();
    const { key, record } = await make({});
    const find = store.keys.findByHash.bind(null);
    const found = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    store.keys.findByHash = async (...args) => {
      const known = await find(...args);
      found.resolve();
      await gate.promise;
      return known;
    };
    const slow = bearer(key);
    await found.promise;
    await auth.keys.delete(CTX, record.id);
    gate.resolve();
    await slow;
    await expect(bearer(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test("of another tenant is not there for a tenant's list and delete", async () => {
    const { make, auth } = await open();
    const { record } = await make({ tenant_id: 'acme' });
    expect((await auth.keys.list(CTX, PAGE)).items).toEqual([]);
    await expect(auth.keys.delete(CTX, record.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test("of another tenant is not made by a tenant's admin", async () => {
    const { make } = await open();
    const admin: Principal = { keyId: 'key_1', tenantId: 'acme', userId: 'ann', role: 'admin', hostWide: false };
    expect((await make({}, admin)).record.tenant_id).toBe('acme');
    expect((await make({ tenant_id: 'acme' }, admin)).record.tenant_id).toBe('acme');
    await expect(make({ tenant_id: 'default' }, admin)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('is not made of a wrong body, and every problem is told', async () => {
    const { auth } = await open();
    const body = { name: ' ', role: 'root', tenant_id: 'a b', user_id: '', 'x/y': 1 };
    const error = await auth.keys.create(CTX, bootstrapPrincipal('default'), body).catch((thrown: unknown) => thrown);
    const pointers = (error as { problems: { pointer: string }[] }).problems.map(({ pointer }) => pointer);
    expect(pointers.sort()).toEqual(['/name', '/role', '/tenant_id', '/user_id', '/x~1y']);
    await expect(auth.keys.create(CTX, bootstrapPrincipal('default'), [])).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(auth.keys.create(CTX, bootstrapPrincipal('default'), { name: 'x' })).rejects.toThrow(
      '/role: is missing',
    );
  });
});

describe('without any key', () => {
  test('on a loopback address everybody is the open-mode user of the default tenant', async () => {
    const { auth } = await open({ adminKey: undefined });
    expect(await auth.mode(CTX)).toBe('open');
    expect(await auth.authenticate(CTX, undefined, 'acme')).toEqual(OPEN_PRINCIPAL);
    expect(await auth.authenticate(CTX, 'Bearer left-over', undefined)).toEqual(OPEN_PRINCIPAL);
  });

  test('on another address nobody gets in', async () => {
    const { auth } = await open({ adminKey: undefined, loopback: false });
    expect(await auth.mode(CTX)).toBe('locked');
    await expect(auth.authenticate(CTX, undefined, undefined)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('the first key that is made closes the door, and the last that is revoked opens it', async () => {
    const { auth, bearer } = await open({ adminKey: undefined });
    const nobody = () => Promise.resolve(auth.authenticate(CTX, undefined, undefined));
    expect(await nobody()).toEqual(OPEN_PRINCIPAL);
    const { key, record } = await auth.keys.create(CTX, OPEN_PRINCIPAL, { name: 'first', role: 'admin' });
    await expect(nobody()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await bearer(key)).toMatchObject({ keyId: record.id });
    await auth.keys.delete(CTX, record.id);
    expect(await nobody()).toEqual(OPEN_PRINCIPAL);
  });
});

describe('roles', () => {
  test('each may what the ones before it may', () => {
    const allowed = ROLES.map((role) =>
      Object.keys(LEAST_ROLE).filter((act) => may(role, act as keyof typeof LEAST_ROLE)),
    );
    allowed.forEach((acts, index) => {
      for (const act of allowed[index - 1] ?? []) expect(acts).toContain(act);
    });
    expect(allowed.at(-1)).toEqual(Object.keys(LEAST_ROLE));
  });

  test('viewers read and dry-run, and change nothing', () => {
    expect(Object.keys(LEAST_ROLE).filter((act) => may('viewer', act as keyof typeof LEAST_ROLE))).toEqual([
      'workflows:read',
      'workflows:dry-run',
      'runs:read',
      'actions:read',
      'plugins:read',
    ]);
    expect(may('viewer', 'credentials:read')).toBe(false);
    expect(may('editor', 'metrics:read')).toBe(false);
  });
});
