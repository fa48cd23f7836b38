import { checkDeclarations, compileParameters, type CompiledParameters } from '../params/parameters.ts';
import { parseTemplate, type Template } from '../template/template.ts';
import type { WorkflowRecord } from '../core/records.ts';
import type { OnMissing, StepDefinition, WorkflowDefinition } from './definition.ts';

/** A version of a workflow, ready to run: parameters compiled, templates parsed. */
export interface CompiledWorkflow {
  readonly record: WorkflowRecord;
  readonly definition: WorkflowDefinition;
  readonly parameters: CompiledParameters;
  readonly steps: readonly CompiledStep[];
}

export interface CompiledStep {
  readonly definition: StepDefinition;
  readonly config: Template;
  readonly onMissing: OnMissing;
}

// A record is immutable and stands for one version, so it is its own key.
const compiled = new WeakMap<WorkflowRecord, CompiledWorkflow>();

/** Compiles a stored version once; its problems were found when it was saved. */
export function compileWorkflow(record: WorkflowRecord): CompiledWorkflow {
  const known = compiled.get(record);
  if (known !== undefined) return known;
  const definition = record.definition as unknown as WorkflowDefinition;
  const original = definition.form === 'original';
  const { declarations } = checkDeclarations(definition.parameters, '/parameters', { ignoreUnknown: original });
  const made: CompiledWorkflow = {
    record,
    definition,
    parameters: compileParameters(declarations),
    steps: definition.steps.map((step) => ({
      definition: step,
      config: parseTemplate(step.config, '/config', { legacy: original }).template,
      onMissing: definition.on_missing,
    })),
  };
  compiled.set(record, made);
  return made;
}
