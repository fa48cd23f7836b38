import { createHash, createHmac, createPublicKey, pbkdf2Sync, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestLane } from './lane.ts';

const BODIES = {
  digest: `return hex(await crypto.subtle.digest('SHA-256', bytes('abc')))`,
  hmac: `const key = await crypto.subtle.importKey('raw', bytes('key'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
    const mac = await crypto.subtle.sign('HMAC', key, bytes('abc'));
    return [hex(mac), await crypto.subtle.verify('HMAC', key, mac, bytes('abc')), await crypto.subtle.verify('HMAC', key, mac, bytes('abd')), key.type, key.extractable, key.algorithm.hash.name, key.usages]`,
  aes: `const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']); const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytes('x') }, key, bytes('secret'));
    let wrong; try { await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: bytes('y') }, key, sealed); } catch (error) { wrong = [error.name, error instanceof DOMException]; }
    const jwk = await crypto.subtle.exportKey('jwk', key); const again = await crypto.subtle.importKey('jwk', jwk, 'AES-GCM', false, ['decrypt']);
    return [text(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: bytes('x') }, again, sealed)), jwk.kty, wrong]`,
  ecdsa: `const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    return [await crypto.subtle.exportKey('jwk', publicKey), hex(await crypto.subtle.sign({ name: 'ECDSA', hash: { name: 'SHA-256' } }, privateKey, bytes('abc')))]`,
  ecdh: `const make = () => crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits', 'deriveKey']); const [a, b] = [await make(), await make()];
    const one = hex(await crypto.subtle.deriveBits({ name: 'ECDH', public: b.publicKey }, a.privateKey, 256)); const two = hex(await crypto.subtle.deriveBits({ name: 'ECDH', public: a.publicKey }, b.privateKey, 256));
    return one === two`,
  derive: `const base = await crypto.subtle.importKey('raw', bytes('password'), 'PBKDF2', false, ['deriveBits', 'deriveKey']);
    const bits = hex(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: bytes('salt'), iterations: 2 }, base, 160));
    const wrapping = await crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes('s'), iterations: 1 }, base, { name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey']);
    const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 256 }, true, ['sign']); const wrapped = await crypto.subtle.wrapKey('raw', key, wrapping, 'AES-KW');
    const back = await crypto.subtle.unwrapKey('raw', wrapped, wrapping, 'AES-KW', { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
    let endless; try { await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: bytes('s'), iterations: 2 ** 31 }, base, 8); } catch (error) { endless = error.name; }
    return [bits, hex(await crypto.subtle.exportKey('raw', key)) === hex(await crypto.subtle.exportKey('raw', back)), endless]`,
  refused: `const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']); const said = [];
    for (const attempt of [() => crypto.subtle.exportKey('raw', key), () => crypto.subtle.sign('HMAC', {}, bytes('')), () => crypto.subtle.digest('MD0', bytes('')), () => crypto.subtle.digest('SHA-1', 'text'), () => crypto.subtle.importKey('raw', bytes('k'), 'AES-GCM', true, ['nope'])])
      try { await attempt(); said.push('done'); } catch (error) { said.push([error.name, error instanceof Error]); }
    return said`,
};

const TOOLS = `const bytes = (text) => new TextEncoder().encode(text);
const text = (buffer) => new TextDecoder().decode(buffer);
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');`;

describe('crypto.subtle', () => {
  let lane: TestLane;
  const run = (action: keyof typeof BODIES) => lane.output({ action });
  beforeAll(async () => {
    const actions = Object.entries(BODIES).map(([id, body]) => `${id}: async () => { ${body} }`);
    lane = await TestLane.ofActions(`{${actions.join(',\n')}}`, TOOLS);
  });
  afterAll(async () => await lane[Symbol.asyncDispose]());

  test('digests', async () => {
    expect(await run('digest')).toBe(createHash('sha256').update('abc').digest('hex'));
  });

  test('signs and verifies with HMAC', async () => {
    const mac = createHmac('sha256', 'key').update('abc').digest('hex');
    expect(await run('hmac')).toEqual([mac, true, false, 'secret', false, 'SHA-256', ['sign', 'verify']]);
  });

  test('encrypts with AES-GCM, and imports what it exports', async () => {
    expect(await run('aes')).toEqual(['secret', 'oct', ['OperationError', true]]);
  });

  test('makes ECDSA signatures that others accept', async () => {
    const [jwk, signature] = (await run('ecdsa')) as [object, string];
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' } as never), dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', Buffer.from('abc'), key, Buffer.from(signature, 'hex'))).toBe(true);
  });

  test('agrees on a secret with ECDH, where an algorithm names a key', async () => {
    expect(await run('ecdh')).toBe(true);
  });

  test('derives, wraps and unwraps keys, but not endlessly', async () => {
    const bits = pbkdf2Sync('password', 'salt', 2, 20, 'sha1').toString('hex');
    expect(await run('derive')).toEqual([bits, true, 'OperationError']);
  });

  test('refuses with the standard names', async () => {
    expect(await run('refused')).toEqual([
      ['InvalidAccessError', true],
      ['TypeError', true],
      ['NotSupportedError', true],
      ['TypeError', true],
      ['TypeError', true],
    ]);
  });
});
