import type { JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { checkDeclarations, compileParameters } from '../params/parameters.ts';
import { checkSchemaPartial } from '../params/schema-validator.ts';
import type { Plugins } from '../plugin/types.ts';
import { checkPaths, parseTemplate } from '../template/template.ts';
import { checkSchedule } from './check-schedule.ts';
import type { Normalised } from './normalise.ts';

/**
 * What can be known of a workflow before its first run: parameters declare themselves well, actions exist, templates name what can exist, and what a
 * `config` says outright fits the action's input schema. All problems, with pointers into the body as it was sent.
 */
export function checkWorkflow(normalised: Normalised, tenantId: string, plugins: Plugins): readonly Problem[] {
  const { definition, pointerOf } = normalised;
  const problems: Problem[] = [...normalised.problems];
  const original = definition.form === 'original';
  const declared = checkDeclarations(definition.parameters as unknown as JsonValue, '/parameters', {
    ignoreUnknown: original,
  });
  problems.push(...declared.problems);
  const allIds = definition.steps.map((step) => step.id);
  const stepIds: string[] = [];
  const outputs = new Map<string, JsonSchema | undefined>();
  for (const step of definition.steps) {
    const pointer = pointerOf(step);
    const configPointer = original && pointer === '' ? '/config_json' : `${pointer}/config`;
    if (stepIds.includes(step.id)) {
      problems.push({
        pointer: `${pointer}/id`,
        message: `the id "${step.id}" is used by an earlier step`,
        keyword: 'uniqueItems',
      });
    }
    const parsed = parseTemplate(step.config, configPointer, { legacy: original });
    problems.push(...parsed.problems);
    if (!original) {
      problems.push(
        ...checkPaths(parsed.template, {
          parameters: declared.declarations,
          stepIds: [...stepIds],
          laterStepIds: allIds.slice(stepIds.length),
          outputs,
        }),
      );
    }
    const found = plugins.findAction(tenantId, step.action);
    const actionField = original ? 'action_type' : 'action';
    if (!found.found) problems.push({ pointer: `${pointer}/${actionField}`, message: found.reason, keyword: 'action' });
    else if (!original && parsed.problems.length === 0 && found.action.action.input !== undefined) {
      problems.push(...checkSchemaPartial(found.action.action.input, parsed.template, configPointer));
    }
    if (step.credential !== undefined && found.found && found.action.plugin.manifest.credential === undefined) {
      problems.push({
        pointer: `${pointer}/credential`,
        message: `the plugin ${found.action.plugin.manifest.name} takes no credential`,
        keyword: 'credential',
      });
    }
    stepIds.push(step.id);
    outputs.set(step.id, found.found ? found.action.action.output : undefined);
  }
  if (definition.schedule !== undefined && declared.problems.length === 0)
    problems.push(...checkSchedule(definition.schedule, compileParameters(declared.declarations)));
  return dedupe(problems);
}

/** The shape check and a check of meaning may find the same thing. */
function dedupe(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = `${problem.pointer}\n${problem.keyword}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
}
