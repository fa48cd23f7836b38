import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Roots } from '../template/template.ts';
import type { StepDefinition } from '../workflow/definition.ts';
import type { ActiveRun } from './active-run.ts';

/** What templates of a step can name. */
export function templateRoots(run: ActiveRun, step: StepDefinition): Roots {
  const steps: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
  let previous: JsonValue = null;
  for (const done of run.steps) {
    if (done.id === step.id) break;
    steps[done.id] = { output: done.output, status: done.status };
    if (done.status === 'succeeded') previous = done.output;
  }
  const { trigger } = run;
  const roots: Record<string, JsonValue> = {
    params: run.parameters,
    steps: steps as JsonObject,
    trigger: {
      type: trigger.type,
      body: trigger.body ?? null,
      headers: trigger.headers ?? {},
      query: trigger.query ?? {},
    },
    workflow: { id: run.workflow.record.id, name: run.workflow.record.name, version: run.workflow.record.version },
    run: { id: run.id, attempt: run.attempt, created_at: run.createdAt, trace_id: run.ctx.traceId },
    tenant: { id: run.ctx.tenantId },
  };
  return {
    roots,
    bare: step.bare_paths === 'trigger' ? (trigger.body ?? null) : step.bare_paths === 'previous' ? previous : null,
  };
}
