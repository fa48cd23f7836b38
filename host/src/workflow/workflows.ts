import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import { GoflowError, validationError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { WorkflowRecord } from '../core/records.ts';
import type { Plugins } from '../plugin/types.ts';
import type { Store } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import { checkWorkflow } from './check.ts';
import { compileWorkflow } from './compile.ts';
import { SINGLE_STEP_ID, WORKFLOW_ID, type WorkflowDefinition } from './definition.ts';
import { mergePatch } from './merge-patch.ts';
import { normalise } from './normalise.ts';
import { isOriginalShape } from './original.ts';
import type { Workflows } from './types.ts';
import {
  definitionOf,
  parseWebhook,
  sameId,
  secretBytes,
  webhookIdOf,
  webhookPurpose,
  workflowIdOf,
  type WebhookWish,
} from './webhook.ts';

/** Current versions kept ready; the one that was used longest ago goes first. */
const CACHE_SIZE = 10_000;

export interface WorkflowServices {
  readonly store: Pick<Store, 'workflows'>;
  readonly plugins: Plugins;
  readonly vault: Pick<Vault, 'seal' | 'open' | 'code'>;
  /** Told of every workflow that was made, changed, switched on or off, when that is on disk, and of those deleted. */
  readonly watch?: {
    changed(workflow: WorkflowRecord): void;
    removed(tenantId: string, workflowId: string): void;
  };
}

export function createWorkflows({ store, plugins, vault, watch }: WorkflowServices): Workflows {
  // This host is the only writer of its database, so what was read or written last is the truth.
  const cache = new Map<string, WorkflowRecord>();

  function remember(workflow: WorkflowRecord): WorkflowRecord {
    const key = cacheKey(workflow.tenant_id, workflow.id);
    cache.delete(key);
    cache.set(key, workflow);
    if (cache.size > CACHE_SIZE) cache.delete(cache.keys().next().value as string);
    return workflow;
  }

  async function build(
    ctx: Context,
    id: string,
    body: JsonValue,
    before: WorkflowRecord | null,
    chosenId = before !== null && definitionOf(before).chosen_id === true,
  ): Promise<WorkflowRecord> {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw validationError([
        { pointer: '', message: 'the body must be an object that describes a workflow', keyword: 'type' },
      ]);
    }
    const normalised = normalise(body as JsonObject);
    const webhook = parseWebhook(webhookMember(body as JsonObject), before);
    const problems = [...checkWorkflow(normalised, ctx.tenantId, plugins), ...webhook.problems];
    if (problems.length > 0) throw validationError(problems, 'the workflow');
    const now = new Date().toISOString();
    const isActive = (body as JsonObject)['is_active'];
    return {
      id,
      tenant_id: ctx.tenantId,
      version: (before?.version ?? 0) + 1,
      name: normalised.definition.name,
      is_active: typeof isActive === 'boolean' ? isActive : (before?.is_active ?? true),
      definition: {
        ...normalised.definition,
        ...(chosenId ? { chosen_id: true } : {}),
        ...(await sealWebhook(ctx, id, webhook.wish, before)),
      } as unknown as JsonObject,
      created_at: before?.created_at ?? now,
      updated_at: now,
    };
  }

  async function sealWebhook(
    ctx: Context,
    id: string,
    wish: WebhookWish,
    before: WorkflowRecord | null,
  ): Promise<Pick<WorkflowDefinition, 'webhook'>> {
    if (wish === null) return {};
    const kept = before === null ? undefined : definitionOf(before).webhook;
    if (wish === 'keep') return kept === undefined ? {} : { webhook: kept };
    const sealed = await vault.seal(ctx.tenantId, wish.secret, webhookPurpose(id));
    return { webhook: { sealed_secret: Buffer.from(sealed).toString('base64') } };
  }

  async function find(ctx: Context, id: string): Promise<WorkflowRecord | null> {
    const known = cache.get(cacheKey(ctx.tenantId, id));
    if (known !== undefined) return known;
    const stored = await store.workflows.get(ctx, ctx.tenantId, id);
    return stored === null ? null : remember(stored);
  }

  async function get(ctx: Context, id: string): Promise<WorkflowRecord> {
    const workflow = await find(ctx, id);
    if (workflow === null) throw new GoflowError('NOT_FOUND', `there is no workflow ${id}`);
    return workflow;
  }

  async function replace(ctx: Context, before: WorkflowRecord, body: JsonValue): Promise<WorkflowRecord> {
    const workflow = await build(ctx, before.id, body, before);
    await store.workflows.update(ctx, workflow, before.version);
    return written(workflow);
  }

  /** What is on disk now. */
  function written(workflow: WorkflowRecord): WorkflowRecord {
    watch?.changed(workflow);
    return remember(workflow);
  }

  return {
    get,
    list: (ctx, page) => store.workflows.list(ctx, ctx.tenantId, page),
    async create(ctx, body) {
      const workflow = await build(ctx, newId('wf'), body, null);
      return written(await store.workflows.create(ctx, workflow));
    },
    async put(ctx, id, body) {
      if (!WORKFLOW_ID.test(id)) {
        throw validationError([
          { pointer: '/path/id', message: 'an id has 1 to 64 letters, digits, "_" or "-"', keyword: 'pattern' },
        ]);
      }
      const before = await find(ctx, id);
      if (before !== null) return { workflow: await replace(ctx, before, body), created: false };
      const workflow = await build(ctx, id, body, null, true);
      return { workflow: written(await store.workflows.create(ctx, workflow)), created: true };
    },
    async patch(ctx, id, body) {
      const before = await get(ctx, id);
      if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        throw validationError([
          {
            pointer: '',
            message: 'a patch is an object with the fields to change (null removes one)',
            keyword: 'type',
          },
        ]);
      }
      return replace(ctx, before, mergePatch(bodyOf(before), body as JsonObject));
    },
    async toggle(ctx, id) {
      const before = await get(ctx, id);
      const changed = await store.workflows.setActive(ctx, ctx.tenantId, id, !before.is_active);
      if (changed === null) throw new GoflowError('NOT_FOUND', `there is no workflow ${id}`);
      return written(changed);
    },
    async delete(ctx, id) {
      cache.delete(cacheKey(ctx.tenantId, id));
      if (!(await store.workflows.delete(ctx, ctx.tenantId, id)))
        throw new GoflowError('NOT_FOUND', `there is no workflow ${id}`);
      watch?.removed(ctx.tenantId, id);
    },
    async draft(ctx, body) {
      const workflow = await build(ctx, newId('wf'), body, null);
      compileWorkflow(workflow);
      return workflow;
    },
    async findWebhook(ctx, webhookId, anyId) {
      const id = workflowIdOf(webhookId);
      if (!WORKFLOW_ID.test(id)) return null;
      const found = await store.workflows.findById(ctx, id);
      const named = found.find((workflow) => sameId(webhookIdOf(vault, workflow), webhookId));
      if (named !== undefined || !anyId || id !== webhookId) return named ?? null;
      return found.find((workflow) => workflow.tenant_id === ctx.tenantId) ?? found[0] ?? null;
    },
    async webhookKey(workflow) {
      const sealed = definitionOf(workflow).webhook?.sealed_secret;
      if (sealed === undefined) return null;
      const { id, tenant_id } = workflow;
      return secretBytes(await vault.open(tenant_id, Buffer.from(sealed, 'base64'), webhookPurpose(id)));
    },
    view: (workflow) => ({ ...view(workflow), webhook_id: webhookIdOf(vault, workflow) }),
  };
}

/** The member `webhook`. In the original's shape unknown members mean nothing, so there it counts only where it is clearly ours. */
function webhookMember(body: JsonObject): JsonValue | undefined {
  const { webhook } = body;
  if (!isOriginalShape(body)) return webhook;
  if (typeof webhook !== 'object' || webhook === null) return undefined;
  return Object.hasOwn(webhook, 'secret') || Object.hasOwn(webhook, 'signed') ? webhook : undefined;
}

function cacheKey(tenantId: string, id: string): string {
  return `${tenantId}/${id}`;
}

/** A workflow as the API shows it: what was sent, with what the host knows of it. */
function view(workflow: WorkflowRecord): JsonObject {
  const { id, version, is_active, tenant_id, created_at, updated_at } = workflow;
  return { id, ...bodyOf(workflow), version, is_active, tenant_id, created_at, updated_at };
}

/** The body that would make the same workflow again. */
function bodyOf(workflow: WorkflowRecord): JsonObject {
  const definition = definitionOf(workflow);
  const body: Record<string, JsonValue | undefined> = {
    name: definition.name,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    parameters: definition.parameters,
  };
  if (definition.form === 'original')
    return {
      ...body,
      ...definition.original,
      ...(definition.webhook === undefined ? {} : { webhook: { signed: true } }),
      execution_timeout: definition.execution_timeout,
    };
  const single = definition.form === 'action' ? definition.steps.find((step) => step.id === SINGLE_STEP_ID) : undefined;
  if (single !== undefined) {
    body['action'] = single.action;
    body['config'] = single.config;
    if (single.credential !== undefined) body['credential'] = single.credential;
  }
  if (definition.form === 'steps') body['steps'] = definition.steps as unknown as JsonValue;
  if (definition.webhook !== undefined) body['webhook'] = { signed: true };
  body['execution_timeout'] = definition.execution_timeout;
  if (definition.retry !== undefined) body['retry'] = definition.retry as unknown as JsonValue;
  body['on_missing'] = definition.on_missing;
  if (definition.schedule !== undefined) body['schedule'] = definition.schedule as unknown as JsonValue;
  return body;
}
