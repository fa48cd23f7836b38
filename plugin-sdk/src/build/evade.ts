import { type Node, parse, type Token } from 'acorn';
import type { Edit } from './edit.ts';

/**
 * The sandbox refuses source text that looks like a dynamic import, an HTML comment or a direct eval, in strings and comments too.
 * What only looks like one is written differently here, with the same meaning; what is one is told.
 */
export interface Evasion {
  readonly edits: readonly Edit[];
  /** Offsets of real `import(…)` expressions that were left, which cannot be bundled. */
  readonly dynamicImports: readonly number[];
  /** A tagged template holds such text: its raw text cannot be changed, so it has to be compiled to plain strings first. */
  readonly inTaggedTemplate: boolean;
}

// The same patterns as the sandbox's, each with the group that is to be rewritten.
const SUSPICIOUS = /(?:(?<=^|[^.]|\.\.\.)\bimport(?=\s*(?:\(|\/[/*])))|<!--|-->|(?:(?<=^|[^.])\beval(?=\s*\())/g;

/** Finds what has to be written differently in a script (the body of a function). */
export function findEvasions(code: string): Evasion {
  const matches = [...code.matchAll(SUSPICIOUS)];
  if (matches.length === 0) return { edits: [], dynamicImports: [], inTaggedTemplate: false };

  const tokens: Token[] = [];
  const comments: Array<{ start: number; end: number }> = [];
  const program = parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'script',
    allowReturnOutsideFunction: true,
    onToken: tokens,
    onComment: (_block, _text, start, end) => comments.push({ start, end }),
  });
  const calls = findCalls(program);

  const edits: Edit[] = [];
  const dynamicImports: number[] = [];
  let inTaggedTemplate = false;
  for (const match of matches) {
    const start = match.index;
    const text = match[0];
    const comment = comments.find((candidate) => candidate.start <= start && start < candidate.end);
    if (comment !== undefined) {
      edits.push({ start: start + 1, end: start + 2, text: '_' });
      continue;
    }
    const token = tokenAt(tokens, start);
    const kind = token?.type.label;
    if (kind === 'string' || kind === 'template' || kind === 'regexp') {
      if (kind === 'template' && calls.tagged.some(([from, to]) => from <= start && start < to))
        inTaggedTemplate = true;
      edits.push(escapeOne(text, start));
    } else if (text === 'import' && calls.imports.has(start)) dynamicImports.push(start);
    else if (text === 'eval' && calls.evals.has(start)) edits.push({ start, end: start + 4, text: '(0,eval)' });
    // The name of a method: `import(x) {…}` is `["import"](x) {…}`.
    else if (text === 'import' || text === 'eval') edits.push({ start, end: start + text.length, text: `["${text}"]` });
    // Operators that touch: `a<!--b`, `a-->b`.
    else
      edits.push(
        text === '<!--'
          ? { start: start + 1, end: start + 1, text: ' ' }
          : { start: start + 2, end: start + 2, text: ' ' },
      );
  }
  return { edits, dynamicImports, inTaggedTemplate };
}

/**
 * One character as a hexadecimal escape, which means the same in strings, templates and regular expressions. Not the first of a word,
 * which may stand behind a backslash, nor a hyphen, which in a class of a regular expression may mean a range.
 */
function escapeOne(text: string, start: number): Edit {
  const at = text === '-->' ? 2 : 1;
  const escape = `\\x${text.charCodeAt(at).toString(16)}`;
  return { start: start + at, end: start + at + 1, text: escape };
}

function tokenAt(tokens: readonly Token[], offset: number): Token | undefined {
  let low = 0;
  let high = tokens.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const token = tokens[middle];
    if (token === undefined) return undefined;
    if (offset < token.start) high = middle - 1;
    else if (offset >= token.end) low = middle + 1;
    else return token;
  }
  return undefined;
}

interface Calls {
  readonly imports: Set<number>;
  readonly evals: Set<number>;
  readonly tagged: Array<readonly [number, number]>;
}

/** Walks with a stack of its own: minified code nests deeper than the call stack likes. */
function findCalls(program: Node): Calls {
  const calls: Calls = { imports: new Set(), evals: new Set(), tagged: [] };
  const open: unknown[] = [program];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (Array.isArray(node)) {
      for (const item of node as unknown[]) open.push(item);
      continue;
    }
    const { type, start, end } = node as Node;
    if (type === 'ImportExpression') calls.imports.add(start);
    if (type === 'TaggedTemplateExpression') calls.tagged.push([start, end]);
    if (type === 'CallExpression') {
      const { callee } = node as unknown as { callee: Node & { name?: string } };
      if (callee.type === 'Identifier' && callee.name === 'eval') calls.evals.add(callee.start);
    }
    if (typeof type === 'string') for (const member of Object.values(node)) open.push(member);
  }
  return calls;
}
