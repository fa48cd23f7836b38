import type { ErrorData, JsonObject, JsonValue, Manifest } from '@goflow/plugin-sdk/contract';
import { withDeadline } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import type { Credentials } from '../credential/credentials.ts';
import { compileSchema } from '../params/schema-validator.ts';
import type { Plugins, ResolvedAction } from '../plugin/types.ts';
import { TemplatePathMissing, TemplateTooLarge } from '../template/template.ts';
import type { CompiledStep } from '../workflow/compile.ts';
import type { ActiveRun } from './active-run.ts';
import { inTime } from './in-time.ts';
import { runError } from './retry.ts';
import { templateRoots } from './roots.ts';
import { describeProblems, failed, type StepResult } from './step-result.ts';

interface PrepareServices {
  readonly plugins: Plugins;
  readonly credentials: Credentials;
}

/** Everything that an action is called with. */
export interface PreparedCall {
  readonly kind: 'ready';
  readonly action: ResolvedAction;
  readonly input: JsonValue;
  readonly credential: JsonObject | null;
}

/**
 * Finds the action of a step, renders and checks its input, and opens its credential. Gives how the step ends where that is not possible, at once when the
 * run is cancelled or `deadline` (monotonic, in milliseconds) passes: a look-up that is still on its way then is not heard any more.
 */
export async function prepareCall(
  services: PrepareServices,
  run: ActiveRun,
  step: CompiledStep,
  deadline: number,
): Promise<PreparedCall | StepResult> {
  const found = services.plugins.findAction(run.ctx.tenantId, step.definition.action);
  if (!found.found) return failed(runError('PLUGIN_UNAVAILABLE', found.reason), null);
  const action = found.action;
  const refused = refusal(action);
  if (refused !== null) return failed(refused, action);

  const rendered = renderInput(run, step, action);
  if ('error' in rendered) return failed(rendered.error, action);

  const { manifest } = action.plugin;
  const given =
    manifest.credential === undefined
      ? { values: null }
      : await inTime(findCredential(services, run, step, manifest, deadline), run, deadline);
  if ('over' in given) return { kind: given.over, action };
  if ('error' in given) return failed(given.error, action);
  if (given.values !== null && manifest.credential !== undefined)
    run.mask.addCredential(manifest.credential, given.values);
  const admitted = services.plugins.admit(action.plugin.digest, run.ctx.tenantId);
  if (admitted !== 'go') return failed(quarantined(manifest.name, admitted.retryAfterMs), action);
  return { kind: 'ready', action, input: rendered.input, credential: given.values };
}

function quarantined(plugin: string, retryAfterMs?: number): ErrorData {
  const message = `the plugin ${plugin} was ended by force too often and is quarantined; it is tried again by itself, or now with POST /api/plugins/${plugin}/enable`;
  return runError(
    'PLUGIN_QUARANTINED',
    message,
    retryAfterMs === undefined ? undefined : { retry_after_ms: Math.ceil(retryAfterMs) },
  );
}

function refusal(action: ResolvedAction): ErrorData | null {
  const name = action.plugin.manifest.name;
  switch (action.state) {
    case 'enabled':
      return null;
    case 'needs_grant':
      return runError(
        'PERMISSION_NOT_GRANTED',
        `the plugin ${name} waits for an admin to grant its permissions: PUT /api/plugins/${name}/grants`,
      );
    case 'quarantined':
      return quarantined(name);
    case 'disabled':
    case 'refused':
      return runError(
        'PLUGIN_UNAVAILABLE',
        `the plugin ${name} is ${action.state}; an admin can enable it with POST /api/plugins/${name}/enable`,
      );
  }
}

async function findCredential(
  services: PrepareServices,
  run: ActiveRun,
  step: CompiledStep,
  manifest: Manifest,
  deadline: number,
): Promise<{ readonly values: JsonObject | null } | { readonly error: ErrorData }> {
  const schema = manifest.credential;
  if (schema === undefined) return { values: null };
  const name = step.definition.credential;
  let resolved: Awaited<ReturnType<Credentials['resolve']>>;
  try {
    resolved = await services.credentials.resolve(withDeadline(run.ctx, deadline), {
      plugin: manifest.name,
      ...(name === undefined ? {} : { name }),
    });
  } catch (error) {
    return { error: runError('CREDENTIAL_MISSING', messageOf(error)) };
  }
  if (resolved !== null) return { values: resolved.values };
  const how = 'create it with POST /api/credentials';
  if (name !== undefined)
    return {
      error: runError('CREDENTIAL_MISSING', `there is no credential "${name}" for the plugin ${manifest.name}; ${how}`),
    };
  if (!credentialIsNeeded(schema)) return { values: null };
  return {
    error: runError(
      'CREDENTIAL_MISSING',
      `the plugin ${manifest.name} needs a credential, and the tenant has none or several without a default; ${how} or name one with "credential"`,
    ),
  };
}

/** A credential schema that asks for nothing can do without one. */
function credentialIsNeeded(schema: JsonObject): boolean {
  return Array.isArray(schema['required']) && schema['required'].length > 0;
}

function renderInput(
  run: ActiveRun,
  step: CompiledStep,
  action: ResolvedAction,
): { readonly input: JsonValue } | { readonly error: ErrorData } {
  let input: JsonValue;
  try {
    input = step.config.render(templateRoots(run, step.definition), step.onMissing);
  } catch (error) {
    if (error instanceof TemplateTooLarge) return { error: runError('INPUT_INVALID', error.message) };
    if (!(error instanceof TemplatePathMissing)) throw error;
    return { error: runError('TEMPLATE_PATH_MISSING', error.message, { path: error.path, pointer: error.pointer }) };
  }
  const schema = action.action.input;
  if (schema === undefined) return { input };
  if (step.definition.bare_paths !== undefined || run.workflow.definition.form === 'original')
    input = withoutUnknown(input, schema);
  const problems = compileSchema(schema)(input, '/input');
  if (problems.length === 0) return { input };
  return {
    error: runError('INPUT_INVALID', describeProblems(`the input of ${step.definition.action}`, problems), {
      errors: problems as unknown as JsonValue,
    }),
  };
}

/** The original's configurations carry fields of other actions; they are ignored. */
function withoutUnknown(input: JsonValue, schema: JsonValue): JsonValue {
  if (
    !isObject(input) ||
    !isObject(schema) ||
    schema['additionalProperties'] !== false ||
    !isObject(schema['properties'])
  )
    return input;
  const known = schema['properties'];
  return Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(known, name)));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
