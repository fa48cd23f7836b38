import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifySignature } from '../../src/http/webhook-signature.ts';

const NOW = 1_900_000_000_000;
const AT = String(NOW / 1000);
const key = randomBytes(32);
const body = Buffer.from('{"order": 1}');

function sign(id: string, at: string, bytes: Uint8Array = body, secret: Uint8Array = key): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${at}.`).update(bytes).digest('base64')}`;
}

function verify(headers: Record<string, string | undefined>, bytes: Uint8Array = body): string {
  return verifySignature(key, headers, bytes, NOW);
}

const good = { 'webhook-id': 'msg_1', 'webhook-timestamp': AT, 'webhook-signature': sign('msg_1', AT) };

describe('a signed message', () => {
  test('of the specification itself is taken', () => {
    // The example of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const text = Buffer.from('{"test": 2432232314}');
    expect(verifySignature(secret, headers, text, 1_614_265_330_000)).toBe('msg_p5jXN8AQM9LWM0D4loKWxJek');
  });

  test('is taken when one of its signatures fits', () => {
    const old = sign('msg_1', AT, body, randomBytes(32));
    expect(verify({ ...good, 'webhook-signature': `${old} v1a,AAAA ${good['webhook-signature']}` })).toBe('msg_1');
  });

  test.each([
    ['no id', { 'webhook-id': undefined }],
    ['no timestamp', { 'webhook-timestamp': undefined }],
    ['no signature', { 'webhook-signature': undefined }],
    ['another id', { 'webhook-id': 'msg_2' }],
    ['an id with a space', { 'webhook-id': 'msg 1', 'webhook-signature': sign('msg 1', AT) }],
    ['an empty signature', { 'webhook-signature': '' }],
    ['an empty v1', { 'webhook-signature': 'v1,' }],
    ['the signature without its version', { 'webhook-signature': good['webhook-signature'].slice(3) }],
    ['a part of the signature', { 'webhook-signature': good['webhook-signature'].slice(0, 20) }],
    ['the signature of another secret', { 'webhook-signature': sign('msg_1', AT, body, randomBytes(32)) }],
    [
      'the signature after sixteen others',
      { 'webhook-signature': `${'v1,AA '.repeat(16)}${good['webhook-signature']}` },
    ],
  ])('with %s is refused', (_what, headers) => {
    expect(() => verify({ ...good, ...headers })).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  test.each([-301, 301, 86_400, -86_400])('that is %d seconds off is refused', (off) => {
    const at = String(NOW / 1000 + off);
    expect(() => verify({ ...good, 'webhook-timestamp': at, 'webhook-signature': sign('msg_1', at) })).toThrow(
      '5 minutes',
    );
  });

  test.each(['NaN', 'Infinity', '-1', '1e9', '0x71', `${AT}.5`, ` ${AT}`, '9'.repeat(400)])(
    'whose time is %s is refused',
    (at) => {
      expect(() => verify({ ...good, 'webhook-timestamp': at, 'webhook-signature': sign('msg_1', at) })).toThrow();
    },
  );

  test('whose body differs in one byte is refused', () => {
    expect(() => verify(good, Buffer.from('{"order": 2}'))).toThrow('does not fit');
    expect(() => verify(good, Buffer.from('{"order":1}'))).toThrow('does not fit');
  });
});
