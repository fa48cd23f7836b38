import { createHash } from 'node:crypto';
import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { canonicalJson } from '../params/unique-items.ts';
import { GoflowError } from '../core/errors.ts';

/** SHA-256 of a body as a JSON value: the order of members and the way numbers are written do not matter. */
export function requestHash(body: JsonValue): Uint8Array {
  return createHash('sha256').update(canonicalJson(body)).digest();
}

/** Keys whose first request has not been answered yet, in this host. */
export interface KeysInHand {
  /** Throws IDEMPOTENCY_IN_PROGRESS when the key is being handled. Returns how to give it back. */
  take(tenantId: string, workflowId: string, key: string): () => void;
}

export function createKeysInHand(): KeysInHand {
  const keys = new Set<string>();
  return {
    take(tenantId, workflowId, key) {
      // None of the three can hold a line feed, so the joined text is unambiguous.
      const whole = `${tenantId}\n${workflowId}\n${key}`;
      if (keys.has(whole)) {
        throw new GoflowError(
          'IDEMPOTENCY_IN_PROGRESS',
          'a request with this Idempotency-Key is still being handled; repeat it after that one was answered',
          { retryAfter: 1 },
        );
      }
      keys.add(whole);
      return () => keys.delete(whole);
    },
  };
}
