import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createOidc, isToken, isTrustworthy, type Oidc, type OidcConfig } from '../../src/auth/oidc.ts';
import { createLogging } from '../../src/core/log.ts';
import { startWholeHost, type WholeHost } from '../access/support.ts';
import { startIssuer, type Issuer } from './issuer.ts';

const GOOD = { tenant_id: 'acme', goflow_role: 'editor' };
const log = createLogging({ level: 'error', levels: {}, write: () => undefined }).for('auth');

let issuer: Issuer;
let host: WholeHost;
beforeAll(async () => {
  issuer = await startIssuer();
  host = await startWholeHost({ GOFLOW_OIDC_ISSUER: issuer.url, GOFLOW_OIDC_AUDIENCE: issuer.audience });
});
afterAll(async () => {
  await host.close();
  await issuer.close();
});

function verifier(more: Partial<OidcConfig> = {}): Oidc {
  const config = { issuer: issuer.url, audience: issuer.audience, tenantClaim: 'tenant_id', roleClaim: 'goflow_role' };
  return createOidc({ ...config, ...more }, log);
}

/** Sets the date of this process for the rest of a test; timers go on as they are. */
function moveClock(to: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: to });
  onTestFinished(() => void vi.useRealTimers());
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token of the issuer', () => {
  test('lets its subject act in its tenant with its role, besides API keys', async () => {
    const token = await issuer.token(GOOD);
    const made = await host.ask('POST', '/api/workflows', { key: token, body: { name: 'By token' } });
    expect([made.status, made.json.tenant_id]).toEqual([201, 'acme']);
    expect((await host.ask('GET', '/api/keys', { key: token })).status).toBe(403);
    const { key } = await host.key('acme', 'viewer');
    expect((await host.ask('GET', `/api/workflows/${made.json.id}`, { key })).status).toBe(200);
    const elsewhere = await issuer.token({ ...GOOD, tenant_id: 'rival' });
    expect((await host.ask('GET', `/api/workflows/${made.json.id}`, { key: elsewhere })).status).toBe(404);
    const { key: admin } = await host.key('acme', 'admin');
    const { json } = await host.ask('GET', '/api/audit?action=workflow.create', { key: admin });
    expect(json.items[0].actor).toEqual({ user_id: 'ann', key_id: null, role: 'editor' });
    expect(host.lines.join('')).not.toContain(token.split('.')[2]);
  });

  test('never acts in the tenant that a header names, nor for every tenant', async () => {
    const token = await issuer.token({ ...GOOD, goflow_role: 'admin' });
    expect((await host.ask('GET', '/api/audit', { key: token, tenant: 'rival' })).json.items[0].tenant_id).toBe('acme');
    const body = { name: 'x', role: 'admin', tenant_id: 'rival' };
    expect((await host.ask('POST', '/api/keys', { key: token, body })).status).toBe(403);
  });

  test('may have a list of roles, of which the strongest counts, in claims of other names', async () => {
    const oidc = verifier({ roleClaim: 'https://goflow.example/roles', tenantClaim: 'org' });
    const token = await issuer.token({ org: 'acme', 'https://goflow.example/roles': ['viewer', 'trigger', 'dancer'] });
    const principal = { keyId: null, tenantId: 'acme', userId: 'ann', role: 'trigger', hostWide: false };
    expect(await oidc.verify(token)).toEqual(principal);
  });

  test.each([
    ['no tenant', { goflow_role: 'admin' }],
    ['a tenant that cannot be', { ...GOOD, tenant_id: '../x' }],
    ['a tenant that is no text', { ...GOOD, tenant_id: { $ne: 1 } }],
    ['no role', { tenant_id: 'acme' }],
    ['an unknown role', { ...GOOD, goflow_role: 'root' }],
    ['a role by inheritance', { ...GOOD, goflow_role: ['constructor', '__proto__'] }],
    ['no subject', { ...GOOD, sub: undefined }],
    ['another issuer', { ...GOOD, iss: 'https://evil.example' }],
    ['no end', { ...GOOD, exp: undefined }],
    ['an end that has passed', { ...GOOD, exp: Math.floor(Date.now() / 1000) - 60 }],
    ['a beginning that is still to come', { ...GOOD, nbf: Math.floor(Date.now() / 1000) + 60 }],
  ])('with %s is refused with 401 and the reason', async (_what, claims) => {
    const answer = await host.ask('GET', '/api/workflows', { key: await issuer.token(claims) });
    expect([answer.status, answer.json.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.json.detail).toMatch(/^the (token|subject of the token)/);
  });

  test('for another audience is refused', async () => {
    const token = await issuer.token(GOOD, { audience: 'https://other.example/api' });
    expect((await host.ask('GET', '/api/workflows', { key: token })).json.detail).toContain('"aud"');
  });

  test('is not believed beyond its end', async () => {
    const oidc = verifier();
    const token = await issuer.token(GOOD, { ttl: 1 });
    await oidc.verify(token);
    // The tolerance for clocks that differ is 5 seconds.
    moveClock((decodeJwt(token).exp as number) * 1000 + 6000);
    await expect(oidc.verify(token)).rejects.toMatchObject({ message: 'the token has expired' });
  });
});

describe('a forged token', () => {
  const claims = () => ({
    iss: issuer.url,
    aud: issuer.audience,
    sub: 'mallory',
    exp: Math.floor(Date.now() / 1000) + 60,
    ...GOOD,
    goflow_role: 'admin',
  });
  const ask = async (key: string) => host.ask('GET', '/api/workflows', { key });

  test('without a signature ("alg": "none") is refused', async () => {
    for (const alg of ['none', 'None', 'nOnE']) {
      for (const signature of ['', 'AAAA']) {
        const answer = await ask(`${base64({ alg, typ: 'JWT' })}.${base64(claims())}.${signature}`);
        expect(answer.status).toBe(401);
      }
    }
  });

  test('signed by HMAC with the public key as its secret is refused', async () => {
    const [jwk] = await issuer.keys();
    for (const secret of [JSON.stringify(jwk), String(jwk?.n), Buffer.from(String(jwk?.n), 'base64url')]) {
      const head = `${base64({ alg: 'HS256', typ: 'JWT', kid: jwk?.kid })}.${base64(claims())}`;
      const answer = await ask(`${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`);
      expect([answer.status, answer.json.detail]).toEqual([401, 'the token is not signed by a key of the issuer']);
    }
  });

  test('signed by a key of its own, named or enclosed, is refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const [jwk] = await issuer.keys();
    const enclosed = { jwk: await exportJWK(publicKey), jku: `${issuer.url}/jwks`, x5u: 'https://evil.example/x5' };
    for (const header of [
      {},
      { kid: String(jwk?.kid) },
      { kid: 'unknown' },
      { kid: '../../etc/passwd', ...enclosed },
    ]) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', ...header }).sign(privateKey);
      expect((await ask(token)).status).toBe(401);
    }
  });

  test('with a claim changed after signing is refused', async () => {
    const [head, , signature] = (await issuer.token(GOOD)).split('.');
    expect((await ask(`${head}.${base64(claims())}.${signature}`)).status).toBe(401);
  });

  test('that is none in its form is a key like any other: unknown', async () => {
    for (const text of ['eyJ.x', 'eyJhbGciOiJSUzI1NiJ9.e30', 'a.b.c', `eyJ${'A'.repeat(8000)}.e30.AA`]) {
      expect((await ask(text)).status).toBe(401);
    }
    expect(isToken(`gf_admin_${'A'.repeat(43)}`)).toBe(false);
  });
});

describe('the keys of the issuer', () => {
  test('are asked for once, and again when it signs with a new one', async () => {
    const other = await startIssuer();
    onTestFinished(() => other.close());
    const oidc = verifier({ issuer: other.url });
    await Promise.all([oidc.verify(await other.token(GOOD)), oidc.verify(await other.token({ ...GOOD, jti: 'x' }))]);
    expect(other.keyRequests()).toBe(1);
    await other.rotate();
    const token = await other.token(GOOD);
    // Within jose's cool-down of 10 s the new key is unknown: a flood of made-up key ids must not become one of requests to the issuer.
    await expect(oidc.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(other.keyRequests()).toBe(1);
    moveClock(Date.now() + 11_000);
    expect(await oidc.verify(token)).toMatchObject({ userId: 'ann' });
    expect(other.keyRequests()).toBe(2);
  });

  test('that cannot be had are 503 with the reason, and the host works on with API keys', async () => {
    const dead = createServer((_req, res) => void res.writeHead(500).end());
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(dead.address() as AddressInfo).port}`;
    const lonely = await startWholeHost({ GOFLOW_OIDC_ISSUER: url, GOFLOW_OIDC_AUDIENCE: 'x' });
    onTestFinished(async () => {
      await lonely.close();
      dead.close();
    });
    const answer = await lonely.ask('GET', '/api/workflows', { key: await issuer.token(GOOD) });
    expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([
      503,
      'ISSUER_UNAVAILABLE',
      '2',
    ]);
    const { key } = await lonely.key('acme', 'viewer');
    expect((await lonely.ask('GET', '/api/workflows', { key })).status).toBe(200);
  });

  test('of an issuer that says it is another are not used', async () => {
    await expect(verifier({ issuer: `${issuer.url}/` }).verify(await issuer.token(GOOD))).rejects.toMatchObject({
      code: 'ISSUER_UNAVAILABLE',
      message: expect.stringContaining('is of the issuer'),
    });
  });

  test('come over https, or from this machine', () => {
    const good = ['https://id.example/keys', 'http://127.0.0.1:1/jwks', 'http://localhost/jwks', 'http://[::1]:9/'];
    const bad = ['http://id.example/keys', 'http://127.0.0.1.evil.example/', 'file:///etc/passwd', 'data:,x'];
    expect(good.filter((url) => !isTrustworthy(new URL(url)))).toEqual([]);
    expect(bad.filter((url) => isTrustworthy(new URL(url)))).toEqual([]);
  });
});

test('a host with an issuer never runs open', async () => {
  const open = await startWholeHost({
    GOFLOW_OIDC_ISSUER: issuer.url,
    GOFLOW_OIDC_AUDIENCE: issuer.audience,
    GOFLOW_ADMIN_KEY: '',
  });
  onTestFinished(() => open.close());
  expect((await open.ask('GET', '/api/workflows')).status).toBe(401);
});
