import type { JsonValue } from '../../../contract/json.ts';
import type { GuestCall } from './calls.ts';
import { JsonRefusal, toJsonText } from './json.ts';
import { textOf } from './text.ts';

const MAX_VALUE_CHARS = 256 * 1024;

/** `ctx.storage`: values kept by the broker, per plugin and tenant. */
export class Storage {
  readonly #call: GuestCall;

  constructor(call: GuestCall) {
    this.#call = call;
  }

  async get(key: string): Promise<JsonValue | undefined> {
    const text = await this.#call.ask({ op: 'storage.get', key: textOf(key) });
    return text === null ? undefined : (JSON.parse(text) as JsonValue);
  }
  async set(key: string, value: JsonValue): Promise<void> {
    await this.#call.ask({ op: 'storage.set', key: textOf(key), value: plainJson(value) });
  }
  async delete(key: string): Promise<void> {
    await this.#call.ask({ op: 'storage.delete', key: textOf(key) });
  }
  async list(prefix = ''): Promise<string[]> {
    return [...(await this.#call.ask({ op: 'storage.list', prefix: textOf(prefix) }))];
  }
}

function plainJson(value: unknown): JsonValue {
  try {
    return JSON.parse(toJsonText(value, MAX_VALUE_CHARS)) as JsonValue;
  } catch (error) {
    throw JsonRefusal.is(error) ? notStorable(error.message) : error;
  }
}

/** Our own refusal stays inside; what the connector gets is an error like any other. */
function notStorable(why: string): TypeError {
  return new TypeError(why.replace('the result', 'the value to store'));
}
