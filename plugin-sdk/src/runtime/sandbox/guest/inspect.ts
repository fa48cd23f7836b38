const MAX_DEPTH = 6;
const MAX_ITEMS = 100;

/** Text of a value for a log line: like `JSON.stringify`, but for anything, never throwing, and with an end. */
export function inspect(value: unknown): string {
  return typeof value === 'string' ? value : looseJson(value, 16_384);
}

/** A log line's text from the arguments of a `console` method, with `%s %d %i %f %j %o %O %%` in the first one. */
export function formatLine(args: readonly unknown[]): string {
  const [first, ...rest] = args;
  if (typeof first !== 'string') return args.map(inspect).join(' ');
  let used = 0;
  const head = first.replace(/%[sdifjoOc%]/g, (directive) => {
    if (directive === '%%') return '%';
    if (used >= rest.length) return directive;
    const value = rest[used++];
    if (directive === '%c') return '';
    if (directive === '%d' || directive === '%i' || directive === '%f') return `${toNumber(value)}`;
    return inspect(value);
  });
  return [head, ...rest.slice(used).map(inspect)].join(' ');
}

function toNumber(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint' ? Number(value) : NaN;
}

/** JSON of a copy in which everything that is not JSON is described in words. Longer than `maxChars`: cut, as a string. */
export function looseJson(value: unknown, maxChars: number): string {
  const text = JSON.stringify(loose(value, [], { left: maxChars })) ?? 'null';
  return text.length <= maxChars ? text : JSON.stringify(`${text.slice(0, Math.floor(maxChars / 2))}…`);
}

function loose(value: unknown, ancestors: readonly object[], budget: { left: number }): unknown {
  if (typeof value === 'string') {
    const cut = value.length > budget.left ? `${value.slice(0, Math.max(budget.left, 0))}…` : value;
    budget.left -= cut.length;
    return cut;
  }
  budget.left -= 4;
  if (value === undefined) return '[undefined]';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value === 'boolean') return value;
  if (budget.left <= 0) return '…';
  try {
    return typeof value === 'function' ? '[Function]' : looseObject(value as object, ancestors, budget);
  } catch {
    return '[unreadable]';
  }
}

function looseObject(value: object, ancestors: readonly object[], budget: { left: number }): unknown {
  if (ancestors.includes(value)) return '[circular]';
  if (ancestors.length >= MAX_DEPTH) return Array.isArray(value) ? '[Array]' : '[Object]';
  const within = [...ancestors, value];
  if (value instanceof Error) return looseError(value, within, budget);
  if (value instanceof Map) return { Map: [...value].slice(0, MAX_ITEMS).map((entry) => loose(entry, within, budget)) };
  if (value instanceof Set) return { Set: [...value].slice(0, MAX_ITEMS).map((item) => loose(item, within, budget)) };
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return loose(Reflect.apply(toJSON, value, ['']), within, budget);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => loose(item, within, budget));
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value).slice(0, MAX_ITEMS)) {
    budget.left -= key.length;
    copy[key] = readMember(value, key, within, budget);
  }
  return copy;
}

function readMember(value: object, key: string, ancestors: readonly object[], budget: { left: number }): unknown {
  try {
    const member = (value as Record<string, unknown>)[key];
    return member === undefined ? undefined : loose(member, ancestors, budget);
  } catch {
    return '[throws]';
  }
}

function looseError(error: Error, ancestors: readonly object[], budget: { left: number }): unknown {
  const { name, message, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    name: loose(name, ancestors, budget),
    message: loose(message, ancestors, budget),
    ...(code === undefined ? {} : { code: loose(code, ancestors, budget) }),
    ...(cause === undefined ? {} : { cause: loose(cause, ancestors, budget) }),
  };
}
