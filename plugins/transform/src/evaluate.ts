import { ConnectorError, type JsonValue } from '@goflow/plugin-sdk';
import jsonata from 'jsonata';

/** What jsonata throws: no Error, but a code, a position and the text around it. */
interface JsonataFault {
  readonly code?: string;
  readonly message?: string;
  readonly position?: number;
  readonly token?: unknown;
}

const KEPT = 100;
/** Expressions of this tenant that were used last; parsing takes longer than most evaluations. */
const parsed = new Map<string, jsonata.Expression>();

/** The value of an expression over `input`, as plain JSON. */
export async function evaluate(source: string, input: JsonValue | undefined): Promise<unknown> {
  const expression = parse(source);
  try {
    // Bindings of its own: without any, evaluations that overlap would share one environment.
    return plain(await expression.evaluate(input ?? null, {}));
  } catch (fault) {
    throw failure('EXPRESSION_FAILED', 'the expression failed', source, fault);
  }
}

function parse(source: string): jsonata.Expression {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  try {
    const made = jsonata(source);
    if (parsed.size >= KEPT) parsed.delete(parsed.keys().next().value as string);
    parsed.set(source, made);
    return made;
  } catch (fault) {
    throw failure('EXPRESSION_INVALID', 'the expression is not JSONata', source, fault);
  }
}

/** Sequences of jsonata are arrays with properties of their own; undefined is what has no value. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('_jsonata_lambda' in value || '_jsonata_function' in value) {
    throw new ConnectorError(
      'RESULT_NOT_JSON',
      'the expression gives a function; call it, or leave it out of the result',
    );
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

function failure(code: string, what: string, source: string, thrown: unknown): ConnectorError {
  if (ConnectorError.is(thrown)) return thrown;
  const fault = (typeof thrown === 'object' && thrown !== null ? thrown : { message: String(thrown) }) as JsonataFault;
  const position = typeof fault.position === 'number' ? fault.position : null;
  const near =
    position === null
      ? ''
      : ` at character ${position}, after ${JSON.stringify(source.slice(Math.max(0, position - 30), position))}`;
  return new ConnectorError(code, `${what}${near}: ${fault.message ?? 'for an unknown reason'}`, {
    details: {
      position,
      jsonata_code: fault.code ?? null,
      token: typeof fault.token === 'string' ? fault.token.slice(0, 100) : null,
    },
  });
}
