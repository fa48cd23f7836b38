import { describe, expect, it } from 'vitest';
import {
  type Bundle,
  generateSigningKey,
  parseSigningKey,
  parseVerifyKey,
  sha256,
  signBundle,
  verifySignatures,
} from '../../src/contract/index.ts';

const bundle: Bundle = {
  format: 'goflow-bundle/1',
  manifest: {
    name: 'sample',
    version: '1.0.0',
    sdk: '0.1.0',
    actions: { go: {} },
    digests: { 'plugin.js': sha256('x') },
  },
  files: { 'plugin.js': 'x' },
  signatures: [],
};

describe('signatures', () => {
  const mine = generateSigningKey();
  const other = generateSigningKey();

  it('are good for the bundle and the key that made them', () => {
    const signed = signBundle(bundle, parseSigningKey(mine.secretText));
    expect(verifySignatures(signed, [parseVerifyKey(other.publicText), parseVerifyKey(mine.publicText)])).toEqual([
      mine.keyid,
    ]);
    expect(verifySignatures(bundle, [parseVerifyKey(mine.publicText)])).toEqual([]);
  });

  it('are not good for a bundle that was changed afterwards', () => {
    const signed = signBundle(bundle, parseSigningKey(mine.secretText));
    const changed = { ...signed, files: { 'plugin.js': 'y' } };
    expect(verifySignatures(changed, [parseVerifyKey(mine.publicText)])).toEqual([]);
  });

  it('stand beside each other, one for each key', () => {
    const key = parseSigningKey(mine.secretText);
    const signed = signBundle(signBundle(signBundle(bundle, key), parseSigningKey(other.secretText)), key);
    expect(signed.signatures).toHaveLength(2);
    expect(verifySignatures(signed, [parseVerifyKey(mine.publicText), parseVerifyKey(other.publicText)])).toHaveLength(
      2,
    );
  });

  it('of another key under a trusted name count for nothing', () => {
    const signed = signBundle(bundle, parseSigningKey(other.secretText));
    const renamed = { ...signed, signatures: signed.signatures.map((entry) => ({ ...entry, keyid: mine.keyid })) };
    expect(verifySignatures(renamed, [parseVerifyKey(mine.publicText)])).toEqual([]);
  });

  it.each([
    [{ keyid: mine.keyid, alg: 'ed25519', sig: 'AAAA' }],
    [{ keyid: mine.keyid, alg: 'none', sig: '' }],
    [{}],
    [{ keyid: mine.keyid, alg: 'ed25519', sig: 5 }],
  ])('with broken entries count for nothing: %j', (entry) => {
    expect(verifySignatures({ ...bundle, signatures: [entry] }, [parseVerifyKey(mine.publicText)])).toEqual([]);
  });
});

describe('key files', () => {
  const { secretText, publicText } = generateSigningKey();

  it('say in their first line what they are', () => {
    expect(secretText).toMatch(/^# GoFlow secret signing key/);
    expect(publicText).toMatch(/^# GoFlow public signing key/);
  });

  it('are not taken for each other', () => {
    expect(() => parseSigningKey(publicText)).toThrow(/is a public key/);
    expect(() => parseVerifyKey(secretText)).toThrow(/is a secret key/);
    expect(() => parseVerifyKey('garbage')).toThrow(/is no key file/);
  });
});
