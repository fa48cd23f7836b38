import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GoflowError } from '../core/errors.ts';

/** How far the sender's clock may be off, and how old a message may be: what is older is a replay. */
const TOLERANCE_S = 300;
const MESSAGE_ID = /^[\x21-\x7e]{1,200}$/;

/**
 * Checks a message as Standard Webhooks has it (https://www.standardwebhooks.com): `webhook-signature` holds `v1,` and the base64 of the HMAC-SHA-256
 * of `id.timestamp.body`, several of them while a secret is changed. Answers the message's id, which is the same when its sender tries again.
 * Throws UNAUTHENTICATED with what is wrong.
 */
export function verifySignature(
  key: Uint8Array,
  headers: IncomingHttpHeaders,
  body: Uint8Array,
  nowMs: number = Date.now(),
): string {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') {
    throw refuse('this webhook is signed: send webhook-id, webhook-timestamp and webhook-signature');
  }
  if (!MESSAGE_ID.test(id)) throw refuse('webhook-id must have 1 to 200 visible ASCII characters');
  const at = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  // Written so that NaN is refused too.
  if (!(Math.abs(nowMs / 1000 - at) <= TOLERANCE_S)) {
    throw refuse('webhook-timestamp must be the seconds since 1970, at most 5 minutes from now');
  }
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  for (const signature of signatures.split(' ', 16)) {
    if (!signature.startsWith('v1,')) continue;
    const given = Buffer.from(signature.slice(3), 'base64');
    if (given.length === expected.length && timingSafeEqual(given, expected)) return id;
  }
  throw refuse('webhook-signature does not fit this body and the secret of this webhook');
}

function refuse(message: string): GoflowError {
  return new GoflowError('UNAUTHENTICATED', message);
}
