import { describe, expect, it } from 'vitest';
import { actionTimeoutMs, checkManifest, effectiveLimits, type Manifest, sha256 } from '../../src/contract/index.ts';

const sound = {
  name: '@acme/crm',
  version: '1.2.3-beta.1+build.5',
  title: 'CRM',
  sdk: '0.1.0',
  actions: {
    send_mail: { title: 'Send', input: { type: 'object' }, output: true, timeout_ms: 1000, idempotent: false },
  },
  credential: { type: 'object', required: ['key'], properties: { key: { type: 'string', writeOnly: true } } },
  secrets: 'value',
  permissions: {
    net: ['api.example.com', '*.example.com:443', '{{credential.host}}'],
    connect: ['smtp.example.com:587'],
    storage: true,
  },
  limits: { memory_mb: 128, concurrency: 4, timeout_ms: 5000 },
  digests: { 'plugin.js': sha256('x') },
};

describe('checkManifest', () => {
  it('has nothing against a sound manifest', () => {
    expect(checkManifest(sound)).toEqual([]);
  });

  it.each<[what: string, change: object, pointer: string]>([
    ['an upper-case name', { name: 'Crm' }, '/name'],
    ['a name with a path', { name: '../crm' }, '/name'],
    ['a version that is not semantic', { version: '1.0' }, '/version'],
    ['a version with a v', { version: 'v1.0.0' }, '/version'],
    ['no actions', { actions: {} }, '/actions'],
    ['actions as a list', { actions: [] }, '/actions'],
    ['an action id with a dash', { actions: { 'send-mail': {} } }, '/actions/send-mail'],
    ['a schema that is no schema', { actions: { go: { input: 'string' } } }, '/actions/go/input'],
    [
      'a schema with a wrong type',
      { actions: { go: { input: { type: 'object', properties: { a: { type: 'text' } } } } } },
      '/actions/go/input/properties/a/type',
    ],
    [
      'a schema with a misspelt keyword',
      { actions: { go: { input: { type: 'object', propertis: {} } } } },
      '/actions/go/input',
    ],
    ['a timeout of 0', { actions: { go: { timeout_ms: 0 } } }, '/actions/go/timeout_ms'],
    ['a timeout of over a day', { actions: { go: { timeout_ms: 86_400_001 } } }, '/actions/go/timeout_ms'],
    ['idempotent as text', { actions: { go: { idempotent: 'no' } } }, '/actions/go/idempotent'],
    ['a credential that is no object', { credential: { type: 'string' } }, '/credential/type'],
    ['secrets as plain text', { secrets: 'plain' }, '/secrets'],
    ['a permission for everything', { permissions: { net: ['*'] } }, '/permissions/net/0'],
    [
      'a permission with a scheme',
      { permissions: { net: ['a.example.com', 'https://api.example.com'] } },
      '/permissions/net/1',
    ],
    ['a connection without a port', { permissions: { connect: ['smtp.example.com'] } }, '/permissions/connect/0'],
    ['an unknown permission', { permissions: { fs: true } }, '/permissions/fs'],
    ['too little memory', { limits: { memory_mb: 1 } }, '/limits/memory_mb'],
    ['half a call at once', { limits: { concurrency: 0.5 } }, '/limits/concurrency'],
    ['an unknown limit', { limits: { cpu: 1 } }, '/limits/cpu'],
    ['a digest of a file that no bundle has', { digests: { ...sound.digests, 'x.js': sha256('x') } }, '/digests/x.js'],
    ['an unknown field', { homepage: 'x' }, '/homepage'],
  ])('finds %s', (_what, change, pointer) => {
    const problems = checkManifest({ ...sound, ...change });
    expect(problems.map((problem) => problem.pointer)).toEqual([pointer]);
    expect(problems[0]?.message).not.toBe('');
  });

  it('tells every problem, not just the first', () => {
    expect(checkManifest({ name: 1, extra: true }).map(({ pointer }) => pointer)).toEqual([
      '/version',
      '/sdk',
      '/actions',
      '/digests',
      '/name',
      '/extra',
    ]);
  });

  it.each([undefined, null, 1, 'x', [], () => {}])('takes anything: %s', (value) => {
    expect(checkManifest(value)).toHaveLength(1);
  });
});

describe('limits', () => {
  it('are those of the manifest, else the defaults', () => {
    expect(effectiveLimits({ limits: { memory_mb: 128 } })).toEqual({
      memory_mb: 128,
      concurrency: 16,
      timeout_ms: 30_000,
    });
  });

  it('give an action its own time, else that of the bundle', () => {
    const manifest = {
      limits: { timeout_ms: 5000 },
      actions: { own: { timeout_ms: 10 }, other: {} },
    } as unknown as Manifest;
    expect(actionTimeoutMs(manifest, 'own')).toBe(10);
    expect(actionTimeoutMs(manifest, 'other')).toBe(5000);
    expect(actionTimeoutMs(manifest, 'constructor')).toBe(5000);
  });
});
