import { describe, expect, onTestFinished, test } from 'vitest';
import { createGuesses } from '../../src/auth/guesses.ts';
import { bootstrapPrincipal, type Principal } from '../../src/auth/principal.ts';
import { createRateLimits, type RateLimited } from '../../src/auth/rate-limits.ts';
import { createBuckets } from '../../src/auth/token-bucket.ts';
import { ConfigError, readConfig } from '../../src/core/config.ts';
import { BOOTSTRAP_KEY, startWholeHost } from '../access/support.ts';

function clock() {
  let at = 1000;
  return { now: () => at, pass: (ms: number) => void (at += ms) };
}

const holder = (keyId: string, tenantId = 'acme'): Principal => ({
  keyId,
  tenantId,
  userId: keyId,
  role: 'viewer',
  hostWide: false,
});

describe('a token bucket', () => {
  test('gives what it holds, then what flows in, and never holds more than it can', () => {
    const time = clock();
    const buckets = createBuckets({ capacity: 2, perSecond: 2, most: 10, now: time.now });
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a'), buckets.take('b')]).toEqual([1, 0, -1, 1]);
    time.pass(499);
    expect(buckets.take('a')).toBe(-1);
    time.pass(1);
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, -1]);
    time.pass(3_600_000);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([1, 0, -1]);
  });

  test('is forgotten when there are too many', () => {
    const buckets = createBuckets({ capacity: 1, perSecond: 1, most: 3, now: () => 0 });
    for (let i = 0; i < 1000; i++) buckets.take(`key ${String(i)}`);
    expect(buckets.size).toBe(3);
  });
});

describe('rate limits', () => {
  test('count each key for itself, and all of a tenant together', () => {
    const time = clock();
    const limits = createRateLimits({ perKey: 2, perTenant: 3 }, time.now);
    const take = (principal: Principal): string | undefined => {
      const answer: RateLimited = { rateLimit: null };
      try {
        limits.take(principal, answer);
      } catch (error) {
        return `${(error as { code: string }).code} ${String(answer.rateLimit?.[3])}`;
      }
      return answer.rateLimit?.[3];
    };
    expect(take(holder('one'))).toBe('"key";r=1;t=1');
    expect(take(holder('one'))).toBe('"key";r=0;t=1');
    expect(take(holder('one'))).toBe('RATE_LIMITED "key";r=0;t=1');
    expect(take(holder('two'))).toBe('"tenant";r=0;t=1');
    expect(take(holder('two'))).toBe('RATE_LIMITED "tenant";r=0;t=1');
    expect(() => limits.takeTenant('acme')).toThrow('this tenant has used its 3 requests per second');
    // Others are as free as before.
    expect(take(holder('else', 'rival'))).toBe('"key";r=1;t=1');
    expect(take(bootstrapPrincipal('default'))).toBe('"key";r=1;t=1');
    time.pass(1000);
    expect(take(holder('one'))).toBe('"key";r=1;t=1');
  });

  test('that are off say nothing', () => {
    const answer: RateLimited = { rateLimit: null };
    createRateLimits({ perKey: null, perTenant: null }).take(holder('one'), answer);
    expect(answer.rateLimit).toBeNull();
  });

  test('are told with every answer to a key, and 429 says when to come again', async () => {
    const host = await startWholeHost({ GOFLOW_RATE_LIMIT: '30', GOFLOW_RATE_LIMIT_TENANT: 'off' });
    onTestFinished(() => host.close());
    const { key } = await host.key('acme', 'viewer');
    const first = await host.ask('GET', '/api/workflows', { key });
    expect(first.headers.get('ratelimit-policy')).toBe('"key";q=30;w=1');
    expect(first.headers.get('ratelimit')).toBe('"key";r=29;t=1');
    expect((await host.ask('GET', '/healthz')).headers.has('ratelimit')).toBe(false);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => host.ask('POST', '/api/workflows', { key, body: '{' })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.json).toMatchObject({ code: 'RATE_LIMITED', detail: expect.stringContaining('30 requests') });
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(refused[0]?.headers.get('ratelimit')).toBe('"key";r=0;t=1');
    // The role is looked at before the body, the limit before the role.
    expect(answers.every(({ status }) => status === 429 || status === 403)).toBe(true);
    expect((await host.ask('GET', '/api/workflows', { key: BOOTSTRAP_KEY })).status).toBe(200);
  });

  test.each(['0', '-1', '1.5', 'none', '1000001', '1e3'])('cannot be %s', (text) => {
    expect(() => readConfig({ GOFLOW_RATE_LIMIT: text })).toThrow(ConfigError);
    expect(() => readConfig({ GOFLOW_RATE_LIMIT_TENANT: text })).toThrow(/GOFLOW_RATE_LIMIT_TENANT: ".*" is not/);
  });
});

describe('guesses', () => {
  test('are refused from an address that made too many, but for what has worked from there', () => {
    const time = clock();
    const guesses = createGuesses(time.now);
    guesses.succeeded('192.0.2.1', 'good');
    for (let i = 0; i < 500; i++) guesses.failed('192.0.2.1');
    expect(() => guesses.check('192.0.2.1', 'next guess')).toThrow('too many failed attempts');
    expect(() => guesses.check('192.0.2.1', 'good')).not.toThrow();
    expect(() => guesses.check('192.0.2.2', 'next guess')).not.toThrow();
    time.pass(100);
    expect(() => guesses.check('192.0.2.1', 'one more')).not.toThrow();
  });

  test('of one IPv6 customer count together, of IPv4 ones each for itself', () => {
    const guesses = createGuesses(() => 0);
    for (let i = 0; i < 500; i++) guesses.failed(`2001:db8:1:2:${i.toString(16)}::1`);
    expect(() => guesses.check('2001:db8:1:2::9', 'x')).toThrow();
    expect(() => guesses.check('2001:db8:1:3::9', 'x')).not.toThrow();
    for (let i = 0; i < 500; i++) guesses.failed('::ffff:192.0.2.1');
    expect(() => guesses.check('192.0.2.1', 'x')).toThrow();
    expect(() => guesses.check('::ffff:192.0.2.2', 'x')).not.toThrow();
  });

  test('of keys and webhook ids end in 429 over HTTP, while a known key works from the same address', async () => {
    const host = await startWholeHost();
    onTestFinished(() => host.close());
    const { key } = await host.key('acme', 'viewer');
    await host.ask('GET', '/api/workflows', { key });
    const guess = (i: number) =>
      i % 2 === 0
        ? host.ask('GET', '/api/workflows', { key: `guess-${String(i)}` })
        : host.ask('POST', `/api/webhooks/guess-${String(i)}`);
    const statuses: number[] = [];
    for (let i = 0; i < 800 && !statuses.includes(429); i += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, j) => guess(i + j)));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(new Set(statuses)).toEqual(new Set([401, 404, 429]));
    expect((await host.ask('GET', '/api/workflows', { key })).status).toBe(200);
  });
});

describe('the issuer in the configuration', () => {
  test.each([
    ['GOFLOW_OIDC_ISSUER', 'http://id.example'],
    ['GOFLOW_OIDC_ISSUER', 'id.example'],
    ['GOFLOW_OIDC_ISSUER', 'https://id.example/?x=1'],
    ['GOFLOW_OIDC_AUDIENCE', 'two words'],
    ['GOFLOW_OIDC_TENANT_CLAIM', 'ä'],
    ['GOFLOW_OIDC_ROLE_CLAIM', ' '],
  ])('%s cannot be %s', (name, value) => {
    const env = { GOFLOW_OIDC_ISSUER: 'https://id.example', GOFLOW_OIDC_AUDIENCE: 'x', [name]: value };
    expect(() => readConfig(env)).toThrow(new RegExp(`^${name}: "`));
  });

  test('needs an audience', () => {
    expect(() => readConfig({ GOFLOW_OIDC_ISSUER: 'https://id.example' })).toThrow(/GOFLOW_OIDC_AUDIENCE is not set/);
    expect(readConfig({ GOFLOW_OIDC_AUDIENCE: 'x' }).oidcIssuer).toBeUndefined();
  });
});
