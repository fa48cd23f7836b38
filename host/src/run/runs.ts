import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { newTraceId, type Context } from '../core/context.ts';
import { GoflowError, validationError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import {
  ENDED_STATUSES,
  type IdempotencyRecord,
  type RunInternals,
  type RunRecord,
  type TriggerInfo,
  type WorkflowRecord,
} from '../core/records.ts';
import { maskSecrets } from '../params/parameters.ts';
import type { Store } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import { compileWorkflow, type CompiledWorkflow } from '../workflow/compile.ts';
import { ActiveRun } from './active-run.ts';
import { carryOut, enqueueRun } from './queue.ts';
import type { Admission } from './admission.ts';
import { dryRun } from './dry-run.ts';
import { runEvents } from './events.ts';
import type { Executor } from './executor.ts';
import { createKeysInHand, requestHash } from './idempotency.ts';
import { RunMask } from './masking.ts';
import type { StepServices } from './step.ts';
import { timelineOf } from './timeline.ts';
import type { Runs, TriggerAnswer, TriggerRequest } from './types.ts';

/** What secret parameters are sealed for; the vault binds it to the ciphertext. */
export const PARAMETERS_PURPOSE = 'run-parameters';

export interface RunServices {
  readonly store: Store;
  readonly vault: Vault;
  readonly executor: Executor;
  readonly admission: Admission;
  readonly active: Map<string, ActiveRun>;
  readonly steps: StepServices;
  readonly isStopping: () => boolean;
}

export function createRuns(services: RunServices): Runs {
  const { store, active, admission } = services;
  const keysInHand = createKeysInHand();

  async function trigger(ctx: Context, workflow: WorkflowRecord, request: TriggerRequest): Promise<TriggerAnswer> {
    refuseWhileStopping();
    const key = request.idempotencyKey;
    if (key === undefined) return begin(ctx, workflow, request);
    const giveBack = keysInHand.take(ctx.tenantId, workflow.id, key);
    try {
      const known = await store.runs.findIdempotency(ctx, ctx.tenantId, workflow.id, key);
      if (known !== null) return await replayAnswer(ctx, known, request);
      return await begin(ctx, workflow, request, key);
    } finally {
      giveBack();
    }
  }

  async function begin(
    ctx: Context,
    workflow: WorkflowRecord,
    request: TriggerRequest,
    key?: string,
  ): Promise<TriggerAnswer> {
    if (!workflow.is_active) {
      throw new GoflowError(
        'WORKFLOW_INACTIVE',
        `the workflow ${workflow.id} is not active; switch it on with PUT /api/workflows/${workflow.id}/toggle`,
      );
    }
    const compiled = compileWorkflow(workflow);
    const { values, problems } = compiled.parameters.apply(request.parameters);
    if (problems.length > 0) throw validationError(problems, 'the parameters');
    const first =
      key === undefined ? undefined : { key, hash: requestHash(request.body ?? null), waitMs: request.waitMs };
    const run = await accept(ctx, compiled, values, request.trigger, first);
    if ('existing' in run) return replayAnswer(ctx, run.existing, request);
    return waitFor(run, request);
  }

  /** Writes the run and sets it going. The promise resolves when it is durable. */
  async function accept(
    ctx: Context,
    workflow: CompiledWorkflow,
    parameters: JsonObject,
    trigger: TriggerInfo,
    first?: { readonly key: string; readonly hash: Uint8Array; readonly waitMs: number },
  ): Promise<ActiveRun | { readonly existing: IdempotencyRecord }> {
    const hasPlace = admission.tryEnter(ctx.tenantId);
    if (!hasPlace && !admission.hasRoom(ctx.tenantId)) {
      throw new GoflowError('OVERLOADED', 'too many runs of this tenant are waiting; try again later', {
        retryAfter: 1,
      });
    }
    let kept = false;
    try {
      const { secretNames } = workflow.parameters;
      const internals: RunInternals = {
        sealed_parameters: secretNames.size === 0 ? null : await sealSecrets(ctx, parameters, secretNames),
        parent_span_id: ctx.spanId,
      };
      const createdAt = new Date().toISOString();
      const record: RunRecord = {
        id: newId('run'),
        workflow_id: workflow.record.id,
        workflow_version: workflow.record.version,
        status: hasPlace ? 'running' : 'queued',
        trigger,
        parameters: maskSecrets(parameters, secretNames),
        output: null,
        error: null,
        steps: [],
        trace_id: ctx.traceId,
        tenant_id: ctx.tenantId,
        user_id: ctx.userId,
        created_at: createdAt,
        started_at: hasPlace ? createdAt : null,
        finished_at: null,
        duration_ms: null,
        attempt: hasPlace ? 1 : 0,
        ended_by: null,
        ending: null,
      };
      const idempotency: IdempotencyRecord | undefined =
        first === undefined
          ? undefined
          : {
              tenant_id: ctx.tenantId,
              workflow_id: workflow.record.id,
              key: first.key,
              request_hash: first.hash,
              run_id: record.id,
              wait_ms: first.waitMs,
              created_at: createdAt,
            };
      const run = new ActiveRun({
        ctx,
        record,
        internals,
        workflow,
        parameters,
        mask: new RunMask(parameters, secretNames),
      });
      const { existing } = await store.runs.accept(ctx, record, internals, idempotency);
      if (existing !== null) return { existing };
      active.set(run.id, run);
      kept = true;
      services.steps.meters.runAccepted(trigger.type);
      if (hasPlace) void carryOut(services, run);
      else enqueueRun(services, run);
      return run;
    } finally {
      if (hasPlace && !kept) admission.release(ctx.tenantId);
    }
  }

  async function waitFor(run: ActiveRun, request: TriggerRequest): Promise<TriggerAnswer> {
    const gone = request.clientGone;
    if (request.cancelOnDisconnect === true && gone !== undefined) {
      // A host that stops closes its connections itself: the run goes back to the queue then.
      const cancel = () => {
        if (!services.isStopping()) run.abort('disconnect');
      };
      gone.addEventListener('abort', cancel);
      void run.done.then(() => gone.removeEventListener('abort', cancel));
      if (gone.aborted) cancel();
    }
    if (request.waitMs <= 0) return { run: { ...run.snapshot(), status: 'queued' }, ended: false, replayed: false };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), request.waitMs)));
    const ended = await Promise.race([run.done, run.handedBack, late]);
    clearTimeout(timer);
    return ended === null
      ? { run: { ...run.snapshot(), status: 'running' }, ended: false, replayed: false }
      : { run: ended, ended: true, replayed: false };
  }

  /** The first answer again: 202 where the first request did not wait or waited in vain, else the run as it ended. */
  async function replayAnswer(ctx: Context, known: IdempotencyRecord, request: TriggerRequest): Promise<TriggerAnswer> {
    if (Buffer.compare(known.request_hash, requestHash(request.body ?? null)) !== 0) {
      throw new GoflowError(
        'IDEMPOTENCY_MISMATCH',
        'this Idempotency-Key was used with another body; use a new key for a new request',
      );
    }
    const run = await find(ctx, known.run_id);
    // Retention may be shorter than a key lives. The run is not made again for that.
    if (run === null) return { run: forgotten(ctx, known), ended: false, replayed: true };
    const endedInTime =
      hasEnded(run) && Date.parse(run.finished_at ?? '') - Date.parse(run.created_at) <= known.wait_ms;
    // How its work was ended is written after whoever waited was answered.
    if (endedInTime) return { run: { ...run, ending: null }, ended: true, replayed: true };
    return { run: { ...run, status: known.wait_ms > 0 ? 'running' : 'queued' }, ended: false, replayed: true };
  }

  async function find(ctx: Context, id: string): Promise<RunRecord | null> {
    const running = active.get(id);
    if (running !== undefined && running.ctx.tenantId === ctx.tenantId) return running.snapshot();
    const stored = await store.runs.get(ctx, ctx.tenantId, id);
    // Behind the rest, as in a run that was just told: the text of both answers is the same.
    return stored === null ? null : { ...stored, egress: stored.egress ?? [], retries: stored.retries ?? [] };
  }

  async function get(ctx: Context, id: string): Promise<RunRecord> {
    const run = await find(ctx, id);
    if (run === null) throw new GoflowError('NOT_FOUND', `there is no run ${id}`);
    return run;
  }

  async function cancel(ctx: Context, id: string): Promise<RunRecord> {
    const run = active.get(id);
    if (run === undefined || run.ctx.tenantId !== ctx.tenantId) {
      await get(ctx, id);
      throw new GoflowError(
        'RUN_ENDED',
        `the run ${id} has ended; only a run that is queued or running can be cancelled`,
      );
    }
    run.abort('cancel');
    const record = await run.done;
    if (record.status !== 'cancelled')
      throw new GoflowError('RUN_ENDED', `the run ${id} ended as ${record.status} before it could be cancelled`);
    return record;
  }

  async function replay(ctx: Context, id: string): Promise<RunRecord> {
    refuseWhileStopping();
    const earlier = await get(ctx, id);
    const workflow = await store.workflows.get(ctx, ctx.tenantId, earlier.workflow_id, earlier.workflow_version);
    if (workflow === null)
      throw new GoflowError('NOT_FOUND', `the workflow ${earlier.workflow_id} of run ${id} is gone`);
    const parameters = await openParameters(ctx, earlier);
    const trigger: TriggerInfo = { ...earlier.trigger, type: 'replay', replay_of: id };
    const run = await accept({ ...ctx, traceId: newTraceId() }, compileWorkflow(workflow), parameters, trigger);
    if ('existing' in run) throw new GoflowError('INTERNAL', 'a replay has no idempotency key');
    return { ...run.snapshot(), status: 'queued' };
  }

  async function openParameters(ctx: Context, run: RunRecord): Promise<JsonObject> {
    const internals = active.get(run.id)?.internals ?? (await store.runs.internals(ctx, run.id));
    return withSecrets(services.vault, run, internals);
  }

  async function sealSecrets(ctx: Context, parameters: JsonObject, names: ReadonlySet<string>): Promise<Uint8Array> {
    const secrets: Record<string, JsonValue> = {};
    for (const name of names) if (parameters[name] !== undefined) secrets[name] = parameters[name] as JsonValue;
    return services.vault.seal(ctx.tenantId, JSON.stringify(secrets), PARAMETERS_PURPOSE);
  }

  function refuseWhileStopping(): void {
    if (services.isStopping())
      throw new GoflowError('SHUTTING_DOWN', 'the host is shutting down and takes no new runs', { retryAfter: 5 });
  }

  return {
    trigger,
    get,
    cancel,
    replay,
    async list(ctx, filter) {
      const page = await store.runs.list(ctx, ctx.tenantId, filter);
      return { ...page, items: page.items.map((run) => active.get(run.id)?.snapshot() ?? run) };
    },
    async logs(ctx, id, page) {
      await get(ctx, id);
      const stored = await store.runs.logs(ctx, ctx.tenantId, id, page.after, page.limit);
      const last = stored.at(-1)?.seq ?? page.after;
      const unsaved =
        active
          .get(id)
          ?.unsavedLogs()
          .filter((line) => line.seq > last) ?? [];
      return [...stored, ...unsaved].slice(0, page.limit);
    },
    async timeline(ctx, id) {
      const run = await get(ctx, id);
      const known = active.get(id)?.workflow;
      if (known !== undefined) return timelineOf(run, known.definition.execution_timeout * 1000);
      const stored = await store.workflows.get(ctx, ctx.tenantId, run.workflow_id, run.workflow_version);
      return timelineOf(run, stored === null ? null : compileWorkflow(stored).definition.execution_timeout * 1000);
    },
    events: (ctx, id, lastEventId) => runEvents({ store, active, get }, ctx, id, lastEventId),
    dryRun: (ctx, workflow, parameters) => dryRun(services.steps, ctx, workflow, parameters),
  };
}

/** What is left to say of a run that retention has deleted, to whom asks with its key. */
function forgotten(ctx: Context, known: IdempotencyRecord): RunRecord {
  return {
    id: known.run_id,
    workflow_id: known.workflow_id,
    workflow_version: 0,
    status: 'queued',
    trigger: { type: 'api' },
    parameters: {},
    output: null,
    error: null,
    steps: [],
    trace_id: ctx.traceId,
    tenant_id: known.tenant_id,
    user_id: ctx.userId,
    created_at: known.created_at,
    started_at: null,
    finished_at: null,
    duration_ms: null,
    attempt: 0,
    ended_by: null,
    ending: null,
  };
}

export function hasEnded(run: RunRecord): boolean {
  return (ENDED_STATUSES as readonly string[]).includes(run.status);
}

/** The parameters of a stored run with its secret ones opened again. */
export async function withSecrets(vault: Vault, run: RunRecord, internals: RunInternals | null): Promise<JsonObject> {
  const sealed = internals?.sealed_parameters ?? null;
  if (sealed === null) return run.parameters;
  const secrets = JSON.parse(await vault.open(run.tenant_id, sealed, PARAMETERS_PURPOSE)) as JsonObject;
  return { ...run.parameters, ...secrets };
}
