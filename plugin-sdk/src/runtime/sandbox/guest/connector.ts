import { MAX_RESULT_CHARS } from '../../../contract/limits.ts';
import type { ErrorData } from '../../../contract/errors.ts';
import type { GuestCall } from './calls.ts';
import { whileLoading } from './calls.ts';
import { Context } from './context.ts';
import { failure, readThrown } from './failure.ts';
import { JsonRefusal, toJsonText } from './json.ts';
import { outer } from './outer.ts';

type Run = (context: Context, input: unknown) => unknown;

/** What the bundle exports: the value of `defineConnector`. It is the connector's own object, so every read may run its code. */
let definition: unknown;

/** Evaluates the bundle's code. Its globals are parameters, because reading a compartment's globals costs a hundred times more. */
export function loadConnector(code: string, globals: readonly string[], call: GuestCall): ErrorData | null {
  const source = `(function (${globals.join(', ')}) {return function (module, exports) {\n${code}\n}})\n//# sourceURL=plugin.js`;
  try {
    whileLoading(call, () => {
      const factory = outer.evaluate(source) as (...values: unknown[]) => (module: object, exports: object) => void;
      const values = globals.map((name) => (globalThis as unknown as Record<string, unknown>)[name]);
      const body = factory(...values);
      const module: { exports: unknown } = { exports: {} };
      Reflect.apply(body, module.exports, [module, module.exports]);
      const exported = module.exports as { default?: unknown } | null | undefined;
      definition = exported?.default ?? exported;
    });
    return null;
  } catch (thrown) {
    const { message } = readThrown(thrown);
    return failure('CONNECTOR_ERROR', `the bundle's code failed while loading: ${message}`);
  }
}

/** Runs an action to its end: one `finish` or `fail`. */
export async function runAction(call: GuestCall, action: string, input: string): Promise<void> {
  let outcome: { readonly text: string } | { readonly error: ErrorData };
  try {
    const { object, run } = findAction(action);
    const value: unknown = await Reflect.apply(run, object, [new Context(call), JSON.parse(input)]);
    outcome = { text: toJsonText(value, MAX_RESULT_CHARS) };
  } catch (thrown) {
    outcome = { error: JsonRefusal.is(thrown) ? refusal(thrown) : readThrown(thrown) };
  }
  call.end();
  if ('text' in outcome) outer.finish(call.key, outcome.text);
  else outer.fail(call.key, JSON.stringify(outcome.error));
}

function findAction(id: string): { readonly object: object; readonly run: Run } {
  const actions = (definition as { actions?: unknown } | null | undefined)?.actions;
  const object = isObject(actions) && Object.hasOwn(actions, id) ? (actions as Record<string, unknown>)[id] : undefined;
  const run = isObject(object) ? (object as { run?: unknown }).run : undefined;
  if (typeof run !== 'function') throw new TypeError(`the bundle has no action "${id}"`);
  return { object: object as object, run: run as Run };
}

/** The definition as JSON text, without the functions; or why it is none. */
export function describeConnector(): readonly [ok: boolean, text: string] {
  try {
    if (!isObject(definition))
      throw new TypeError('the bundle exports no connector: "export default defineConnector({ … })"');
    const { actions, ...rest } = definition as Record<string, unknown>;
    if (!isObject(actions)) throw new TypeError('the connector has no "actions"');
    const described: Record<string, unknown> = Object.create(null);
    for (const [id, action] of Object.entries(actions)) described[id] = describeAction(id, action);
    return [true, toJsonText({ ...rest, actions: described }, MAX_RESULT_CHARS)];
  } catch (thrown) {
    const error = JsonRefusal.is(thrown) ? describeRefusal(thrown) : readThrown(thrown);
    return [false, JSON.stringify(error)];
  }
}

function describeAction(id: string, action: unknown): object {
  if (!isObject(action)) throw new TypeError(`action "${id}" is not an object`);
  const { run, ...rest } = action as Record<string, unknown>;
  if (typeof run !== 'function') throw new TypeError(`action "${id}" has no function "run"`);
  return rest;
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object';
}

function refusal({ code, message, pointer }: JsonRefusal): ErrorData {
  return failure(code, message, false, pointer === null ? undefined : { pointer });
}

function describeRefusal({ message, pointer }: JsonRefusal): ErrorData {
  const said = message.replace('the result', 'the definition');
  return failure('CONNECTOR_ERROR', said, false, pointer === null ? undefined : { pointer });
}
