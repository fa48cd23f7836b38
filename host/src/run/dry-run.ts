import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import { validationError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { RunRecord, WorkflowRecord } from '../core/records.ts';
import { maskSecrets } from '../params/parameters.ts';
import { compileSchema } from '../params/schema-validator.ts';
import { compileWorkflow, type CompiledStep } from '../workflow/compile.ts';
import { ActiveRun } from './active-run.ts';
import { RunMask } from './masking.ts';
import { templateRoots } from './roots.ts';
import type { StepServices } from './step.ts';

/**
 * What a run would do: parameters are checked and filled, each step's input is rendered and checked, nothing is called and nothing stored. What only a
 * run can know (outputs of earlier steps) stays as the placeholder that it is. Secrets are masked.
 * @throws VALIDATION_FAILED with every problem of the parameters
 */
export async function dryRun(
  services: Pick<StepServices, 'plugins' | 'credentials'>,
  ctx: Context,
  workflow: WorkflowRecord,
  parameters: JsonObject,
): Promise<JsonObject> {
  const compiled = compileWorkflow(workflow);
  const { values, problems } = compiled.parameters.apply(parameters);
  if (problems.length > 0) throw validationError(problems, 'the parameters');
  const { secretNames } = compiled.parameters;
  const run = new ActiveRun({
    ctx,
    record: draftRecord(ctx, workflow),
    internals: { sealed_parameters: null, parent_span_id: null },
    workflow: compiled,
    parameters: values,
    mask: new RunMask(values, secretNames),
  });
  const steps: JsonObject[] = [];
  for (const step of compiled.steps) steps.push(await describeStep(services, run, step));
  return {
    dry_run: true,
    workflow_id: workflow.id,
    workflow_version: workflow.version,
    parameters: maskSecrets(values, secretNames),
    would_run: steps.every((step) => (step['problems'] as readonly JsonValue[]).length === 0),
    steps,
  };
}

async function describeStep(
  services: Pick<StepServices, 'plugins' | 'credentials'>,
  run: ActiveRun,
  step: CompiledStep,
): Promise<JsonObject> {
  const { definition } = step;
  const input = run.mask.json(step.config.render(templateRoots(run, definition), 'keep'));
  const found = services.plugins.findAction(run.ctx.tenantId, definition.action);
  const problems: JsonObject[] = [];
  if (!found.found) {
    problems.push({ pointer: `/steps/${definition.id}/action`, message: found.reason, keyword: 'action' });
    return { id: definition.id, action: definition.action, plugin: null, input, problems };
  }
  const { plugin, action, state, granted } = found.action;
  if (state !== 'enabled')
    problems.push({
      pointer: `/steps/${definition.id}/action`,
      message: `the plugin ${plugin.manifest.name} is ${state}`,
      keyword: 'state',
    });
  const needsEarlierSteps =
    definition.bare_paths !== undefined || step.config.paths.some(({ path }) => path[0] === 'steps');
  if (action.input !== undefined && !needsEarlierSteps) {
    const rendered = step.config.render(templateRoots(run, definition), 'keep');
    for (const problem of compileSchema(action.input)(rendered, `/steps/${definition.id}/input`))
      problems.push({ ...problem, message: run.mask.text(problem.message) });
  }
  let credential: string | null = null;
  if (plugin.manifest.credential !== undefined) {
    const resolved = await services.credentials.resolve(run.ctx, {
      plugin: plugin.manifest.name,
      ...(definition.credential === undefined ? {} : { name: definition.credential }),
    });
    credential = resolved?.name ?? null;
    const required = plugin.manifest.credential['required'];
    if (
      resolved === null &&
      (definition.credential !== undefined || (Array.isArray(required) && required.length > 0))
    ) {
      problems.push({
        pointer: `/steps/${definition.id}/credential`,
        message: `the plugin ${plugin.manifest.name} needs a credential`,
        keyword: 'credential',
      });
    }
  }
  return {
    id: definition.id,
    action: `${plugin.manifest.name}/${found.action.id}`,
    plugin: plugin.manifest.name,
    plugin_version: plugin.manifest.version,
    plugin_digest: plugin.digest,
    credential,
    input,
    may_reach: granted as unknown as JsonValue,
    problems,
  };
}

function draftRecord(ctx: Context, workflow: WorkflowRecord): RunRecord {
  return {
    id: newId('run'),
    workflow_id: workflow.id,
    workflow_version: workflow.version,
    status: 'queued',
    trigger: { type: 'api' },
    parameters: {},
    output: null,
    error: null,
    steps: [],
    trace_id: ctx.traceId,
    tenant_id: ctx.tenantId,
    user_id: ctx.userId,
    created_at: new Date().toISOString(),
    started_at: null,
    finished_at: null,
    duration_ms: null,
    attempt: 1,
    ended_by: null,
    ending: null,
  };
}
