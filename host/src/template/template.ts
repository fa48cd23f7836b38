import type { JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import type { PlaceholderKind } from '../params/partial.ts';
import { childPointer } from '../params/pointer.ts';
import { parseText } from './parse-text.ts';
import { type Path, ROOTS } from './path.ts';
import { type Node, renderNode } from './render.ts';
import type { Template } from './types.ts';

export { checkPaths, type Scope } from './check-paths.ts';
export type { Path } from './path.ts';
export type { OnMissing, Roots, Template } from './types.ts';
export { TemplatePathMissing, TemplateTooLarge } from './render.ts';

/**
 * Parses a value. Keys are never rendered. `legacy`: the original's shape, where braces without a path stay as they are and paths may name no root.
 */
export function parseTemplate(
  value: JsonValue,
  pointer: string,
  options: { readonly legacy: boolean },
): { readonly template: Template; readonly problems: readonly Problem[] } {
  const parser = new Parser(pointer, options.legacy);
  const root = parser.parse(value, '');
  const template: Template = {
    source: value,
    hasPlaceholders: parser.paths.length > 0,
    paths: parser.paths,
    placeholders: parser.placeholders,
    render: (roots, onMissing) => renderNode(root, roots, onMissing),
  };
  return { template, problems: parser.problems };
}

class Parser {
  readonly problems: Problem[] = [];
  readonly paths: Array<{ readonly pointer: string; readonly path: Path }> = [];
  readonly placeholders = new Map<string, PlaceholderKind>();
  readonly #base: string;
  readonly #legacy: boolean;

  constructor(base: string, legacy: boolean) {
    this.#base = base;
    this.#legacy = legacy;
  }

  parse(value: JsonValue, at: string): Node {
    if (typeof value === 'string') return this.#text(value, at);
    if (typeof value !== 'object' || value === null) return { kind: 'constant', value };
    if (Array.isArray(value)) {
      const items = (value as readonly JsonValue[]).map((item, index) => this.parse(item, childPointer(at, index)));
      return items.every(isUnchanged) ? { kind: 'constant', value } : { kind: 'array', items };
    }
    const members = Object.entries(value).map(
      ([key, member]) => [key, this.parse(member ?? null, childPointer(at, key))] as const,
    );
    return members.every(([, member]) => isUnchanged(member))
      ? { kind: 'constant', value }
      : { kind: 'object', members };
  }

  #text(text: string, at: string): Node {
    if (!text.includes('{{')) return { kind: 'constant', value: text };
    const parsed = parseText(text, this.#legacy);
    const pointer = this.#base + at;
    if ('fault' in parsed) {
      this.problems.push({ pointer, message: parsed.fault, keyword: 'template' });
      return { kind: 'constant', value: text };
    }
    const parts = parsed.parts.map((part) =>
      typeof part === 'string' ? part : { ...part, pointer, bare: this.#isBare(part.path) },
    );
    for (const part of parts) if (typeof part !== 'string') this.paths.push({ pointer, path: part.path });
    const [first] = parts;
    if (parts.length === 1 && typeof first === 'string') return { kind: 'changed', value: first };
    this.placeholders.set(at, parts.length === 1 ? 'whole' : 'text');
    return parts.length === 1 && typeof first === 'object'
      ? { kind: 'whole', placeholder: first }
      : { kind: 'text', parts };
  }

  #isBare(path: Path): boolean {
    const roots: readonly string[] = ROOTS;
    return this.#legacy && !roots.includes(path[0] as string);
  }
}

/** A literal `\{{` changes a string without any placeholder. */
function isUnchanged(node: Node): boolean {
  return node.kind === 'constant';
}
