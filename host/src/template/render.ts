import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { type Path, lookUp } from './path.ts';
import type { OnMissing, Roots } from './types.ts';

export interface Placeholder {
  readonly path: Path;
  /** As written, braces included. */
  readonly source: string;
  readonly pointer: string;
  /** Looked up from `Roots.bare`. */
  readonly bare: boolean;
}

/** A parsed value. `constant`: as it was; `changed`: a string without placeholders that held `\{{`. */
export type Node =
  | { readonly kind: 'constant' | 'changed'; readonly value: JsonValue }
  | { readonly kind: 'whole'; readonly placeholder: Placeholder }
  | { readonly kind: 'text'; readonly parts: ReadonlyArray<string | Placeholder> }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly members: ReadonlyArray<readonly [string, Node]> };

/** Largest result of a rendering, in UTF-16 units of its JSON text: a few placeholders can repeat a large value many times. */
const MAX_RENDERED_CHARS = 5 * 1024 * 1024;

/** A placeholder names what is not there. */
export class TemplatePathMissing extends Error {
  override readonly name = 'TemplatePathMissing';
  /** The path as it is written. */
  readonly path: string;
  /** Where the placeholder stands. */
  readonly pointer: string;

  constructor(path: string, pointer: string) {
    super(
      `{{${path}}} at ${pointer || '/'} names nothing in this run; give the value, or set "on_missing" to "empty" or "keep"`,
    );
    this.path = path;
    this.pointer = pointer;
  }
}

/** The rendered value would be too large for an action's input. */
export class TemplateTooLarge extends Error {
  override readonly name = 'TemplateTooLarge';

  constructor() {
    super(`the values filled into the templates come to more than ${MAX_RENDERED_CHARS / 1024 / 1024} MB`);
  }
}

export function renderNode(root: Node, roots: Roots, onMissing: OnMissing): JsonValue {
  const sizes = new Map<object, number>();
  let left = MAX_RENDERED_CHARS;
  const spend = (chars: number): void => {
    left -= chars;
    if (left < 0) throw new TemplateTooLarge();
  };

  function render(node: Node): JsonValue {
    if ('value' in node) return node.value;
    if (node.kind === 'text') return node.parts.map(textOf).join('');
    if (node.kind === 'array') return node.items.map(render);
    if (node.kind === 'object') return Object.fromEntries(node.members.map(([key, member]) => [key, render(member)]));
    const value = resolve(node.placeholder);
    spend(jsonSize(value, sizes));
    return value;
  }

  function textOf(part: string | Placeholder): string {
    if (typeof part === 'string') return part;
    const value = resolve(part);
    // Measured before it is made.
    spend(jsonSize(value, sizes));
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  function resolve(placeholder: Placeholder): JsonValue {
    const from = placeholder.bare ? roots.bare : roots.roots;
    const value = lookUp(from, placeholder.path) as JsonValue | undefined;
    if (value !== undefined) return value;
    if (onMissing === 'error')
      throw new TemplatePathMissing(placeholder.source.slice(2, -2).trim(), placeholder.pointer);
    return onMissing === 'empty' ? '' : placeholder.source;
  }

  return render(root);
}

/** About the length of a value's JSON text, without making it. */
function jsonSize(value: JsonValue | undefined, sizes: Map<object, number>): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  let size = 2;
  if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) size += jsonSize(item, sizes) + 1;
  else for (const [key, member] of Object.entries(value)) size += key.length + 4 + jsonSize(member, sizes);
  sizes.set(value, size);
  return size;
}
