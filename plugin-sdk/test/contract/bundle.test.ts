import { describe, expect, it } from 'vitest';
import {
  type Bundle,
  BundleError,
  bundleDigest,
  parseBundle,
  serializeBundle,
  sha256,
} from '../../src/contract/index.ts';

const CODE = 'module.exports = {};';

function sample(): Bundle {
  return {
    format: 'goflow-bundle/1',
    manifest: {
      name: 'sample',
      version: '1.0.0',
      sdk: '0.1.0',
      actions: { go: { input: { type: 'object', properties: { z: { type: 'string' }, a: { type: 'integer' } } } } },
      digests: { 'plugin.js': sha256(CODE) },
    },
    files: { 'plugin.js': CODE },
    signatures: [],
  };
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A bundle with one thing changed. */
// oxlint-disable-next-line typescript/no-explicit-any -- what is changed is wrong on purpose
function changed(change: (bundle: any) => void): Uint8Array {
  const bundle = structuredClone(sample());
  change(bundle);
  return bytesOf(bundle);
}

describe('parseBundle', () => {
  it('gives back what was serialised, with its digest', () => {
    const bundle = sample();
    const parsed = parseBundle(bytesOf(serializeBundle(bundle)));
    expect(parsed.bundle).toEqual(bundle);
    expect(parsed.digest).toBe(bundleDigest(bundle));
    expect(parsed.digest).toMatch(/^sha256-[A-Za-z0-9+/]{43}=$/);
  });

  it.each<[what: string, bytes: Uint8Array, reason: RegExp]>([
    ['an empty file', bytesOf(''), /not JSON/],
    ['text that is not JSON', bytesOf('{"format": '), /not JSON/],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), /not UTF-8/],
    ['a byte order mark', bytesOf(`\ufeff${JSON.stringify(sample())}`), /not JSON/],
    ['a JSON value that is no object', bytesOf([]), /must hold a JSON object/],
    ['another format', changed((b) => (b.format = 'goflow-bundle/2')), /^\/format must be "goflow-bundle\/1"/],
    ['an unknown field', changed((b) => (b.extra = 1)), /^\/extra is not known/],
    ['an unknown manifest field', changed((b) => (b.manifest.extra = 1)), /^\/manifest\/extra is not a known field/],
    ['an unknown action field', changed((b) => (b.manifest.actions.go.extra = 1)), /^\/manifest\/actions\/go\/extra/],
    ['an unknown file', changed((b) => (b.files['../evil.js'] = 'x')), /^\/files\/\.\.~1evil\.js is not known/],
    ['a file that is no text', changed((b) => (b.files['README.md'] = 1)), /^\/files\/README\.md must be the text/],
    ['no code', changed((b) => delete b.files['plugin.js']), /^\/files\/plugin\.js is missing/],
    ['code without a digest', changed((b) => (b.manifest.digests = {})), /^\/manifest\/digests\/plugin\.js is missing/],
    ['code that was changed', changed((b) => (b.files['plugin.js'] += ' ')), /does not match its digest/],
    ['a digest without its file', changed((b) => (b.manifest.digests['README.md'] = sha256('x'))), /not in the bundle/],
    ['a digest of another kind', changed((b) => (b.manifest.digests['plugin.js'] = 'md5-x')), /must be "sha256-"/],
    ['a missing manifest', changed((b) => delete b.manifest), /^\/manifest must be an object/],
    ['signatures that are no list', changed((b) => (b.signatures = {})), /^\/signatures must be a list/],
    [
      'a signature with unknown fields',
      changed((b) => (b.signatures = [{ keyid: 'a', alg: 'b', sig: 'c', x: 1 }])),
      /^\/signatures\/0\/x/,
    ],
    ['half of a surrogate pair', bytesOf(JSON.stringify(sample()).replace('module.exports', '\\ud800')), /surrogate/],
    [
      'a number out of range',
      bytesOf(JSON.stringify(sample()).replace('"signatures":[]', '"signatures":[1e999]')),
      /out of range/,
    ],
    [
      'a __proto__ key',
      bytesOf(JSON.stringify(sample()).replace('"signatures":[]', '"signatures":[{"__proto__":{}}]')),
      /__proto__/,
    ],
    ['deep nesting', bytesOf('['.repeat(100_000) + ']'.repeat(100_000)), /deeper than 64/],
    ['more than 20 MB', new Uint8Array(20 * 1024 * 1024 + 1), /20971521 bytes/],
  ])('refuses %s', (_what, bytes, reason) => {
    let refused: unknown;
    try {
      parseBundle(bytes);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(BundleError);
    expect((refused as BundleError).reason).toMatch(reason);
  });
});

describe('bundleDigest', () => {
  it('does not depend on signatures, layout or the order of keys', () => {
    const bundle = sample();
    const { manifest } = bundle;
    const turned = {
      ...bundle,
      manifest: Object.fromEntries(Object.entries(manifest).toReversed()) as unknown as Bundle['manifest'],
    };
    expect(bundleDigest({ ...turned, signatures: [{ keyid: 'k' }] } as Bundle)).toBe(bundleDigest(bundle));
  });

  it('changes with any character of any file', () => {
    const bundle = sample();
    expect(bundleDigest({ ...bundle, files: { ...bundle.files, 'README.md': 'x' } })).not.toBe(bundleDigest(bundle));
  });
});

describe('serializeBundle', () => {
  it('orders the fields of the format and keeps the order of a schema, which forms show', () => {
    const bundle = sample();
    const turned = {
      signatures: [],
      files: bundle.files,
      manifest: Object.fromEntries(Object.entries(bundle.manifest).toReversed()),
      format: bundle.format,
    };
    const text = serializeBundle(turned as unknown as Bundle);
    expect(text).toBe(serializeBundle(bundle));
    expect(text.indexOf('"z"')).toBeLessThan(text.indexOf('"a"'));
    expect(text).not.toContain('\r');
  });
});
