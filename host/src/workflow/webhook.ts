import { timingSafeEqual } from 'node:crypto';
import type { JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { isGeneratedId } from '../core/generated-id.ts';
import type { WorkflowRecord } from '../core/records.ts';
import type { Vault } from '../vault/vault.ts';
import type { WorkflowDefinition } from './definition.ts';

/**
 * A webhook is public, so its id is all that protects it. An id that the host made has 74 random bits and is its own webhook id; one that a
 * person chose (`PUT /api/workflows/orders`) is easily guessed, so its webhook id carries a code that only this host can make: `orders.Zk3…`.
 */
export function webhookIdOf(vault: Pick<Vault, 'code'>, workflow: WorkflowRecord): string {
  const { id, tenant_id } = workflow;
  if (isGeneratedId('wf', id) && definitionOf(workflow).chosen_id !== true) return id;
  return `${id}.${vault.code('webhook', tenant_id, id)}`;
}

/** The workflow's own part of a webhook id. */
export function workflowIdOf(webhookId: string): string {
  const dot = webhookId.indexOf('.');
  return dot === -1 ? webhookId : webhookId.slice(0, dot);
}

/** Takes the same time wherever two ids differ. */
export function sameId(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What the body says of the webhook: a new secret, the one that is there, or none. */
export type WebhookWish = { readonly secret: string } | 'keep' | null;

const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;
/** As the specification has it: https://www.standardwebhooks.com */
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/** Reads the member `webhook` of a workflow body; what is wrong is told without what was sent, which may be a secret. */
export function parseWebhook(
  value: JsonValue | undefined,
  before: WorkflowRecord | null,
): { readonly wish: WebhookWish; readonly problems: readonly Problem[] } {
  const refuse = (pointer: string, keyword: string, message: string) => ({
    wish: null,
    problems: [{ pointer: `/webhook${pointer}`, keyword, message }],
  });
  if (value === undefined || value === null) return { wish: null, problems: [] };
  if (typeof value !== 'object' || Array.isArray(value)) return refuse('', 'type', 'must be an object with a "secret"');
  const { secret, signed, ...others } = value as Record<string, JsonValue>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return refuse('', 'additionalProperties', 'has "secret" and "signed", nothing else');
  if (secret !== undefined) {
    if (typeof secret === 'string' && secretBytes(secret) !== null) return { wish: { secret }, problems: [] };
    return refuse('/secret', 'pattern', `must be "whsec_" and the base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes`);
  }
  if (signed === undefined) return { wish: null, problems: [] };
  if (signed === true && before !== null && definitionOf(before).webhook !== undefined) {
    return { wish: 'keep', problems: [] };
  }
  return refuse('/signed', 'const', 'keeps the secret that is there, and there is none; send a "secret"');
}

/** The key of a `whsec_…` text; null where it is none. */
export function secretBytes(secret: string): Buffer | null {
  const match = SECRET.exec(secret);
  if (match === null) return null;
  const bytes = Buffer.from(match[1] as string, 'base64');
  return bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES ? bytes : null;
}

/** What sealed webhook secrets are for; the vault binds it to the ciphertext. */
export function webhookPurpose(workflowId: string): string {
  return `webhook:${workflowId}`;
}

export function definitionOf(workflow: WorkflowRecord): WorkflowDefinition {
  return workflow.definition as unknown as WorkflowDefinition;
}
