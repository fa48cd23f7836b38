import { type Node, parse } from 'acorn';

/** A use of a name that nothing in the code declares: a global. */
export interface FreeName {
  readonly name: string;
  /** Offset in the code. */
  readonly at: number;
}

interface Scope {
  readonly names: Set<string>;
  readonly parent: Scope | null;
  /** `var` and functions go to the next scope of this kind. */
  readonly ofFunction: boolean;
}

type AnyNode = Node & Record<string, unknown>;

/**
 * The globals that a script reads, except those that it asks `typeof` of anywhere: whoever asks is prepared for their absence. Each
 * with every place, in the order of the code. Walks with a stack of its own: minified code nests deeper than the call stack likes.
 */
export function findFreeNames(code: string): FreeName[] {
  const program = parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'script',
    allowReturnOutsideFunction: true,
  }) as unknown as AnyNode;
  const uses: Array<{ readonly name: string; readonly at: number; readonly scope: Scope }> = [];
  const asked = new Set<string>();
  const open: Array<readonly [node: unknown, scope: Scope]> = [
    [program, { names: new Set(['module', 'exports', 'arguments']), parent: null, ofFunction: true }],
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, scope] = next;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) open.push([item, scope]);
      continue;
    }
    const node = value as AnyNode;
    if (typeof node.type !== 'string') continue;
    if (node.type === 'Identifier') {
      uses.push({ name: node['name'] as string, at: node.start, scope });
      continue;
    }
    if (node.type === 'UnaryExpression' && node['operator'] === 'typeof') {
      const { type, name } = node['argument'] as AnyNode;
      if (type === 'Identifier') asked.add(name as string);
    }
    const inner = opens(node) ? { names: new Set<string>(), parent: scope, ofFunction: isFunction(node) } : scope;
    declare(node, scope, inner);
    for (const [key, member] of Object.entries(node)) if (!isName(node, key)) open.push([member, inner]);
  }
  return uses
    .filter(({ name, scope }) => !asked.has(name) && !declared(name, scope))
    .map(({ name, at }) => ({ name, at }))
    .sort((a, b) => a.at - b.at);
}

function opens(node: AnyNode): boolean {
  return (
    isFunction(node) ||
    [
      'BlockStatement',
      'CatchClause',
      'ForStatement',
      'ForInStatement',
      'ForOfStatement',
      'SwitchStatement',
      'ClassExpression',
      'StaticBlock',
    ].includes(node.type)
  );
}

function isFunction(node: AnyNode): boolean {
  return /Function/.test(node.type);
}

/** Puts what a node declares where it is known: `outer` is the scope around it, `inner` its own. */
function declare(node: AnyNode, outer: Scope, inner: Scope): void {
  switch (node.type) {
    case 'VariableDeclaration': {
      const scope = node['kind'] === 'var' ? functionScope(outer) : outer;
      for (const { id } of node['declarations'] as Array<{ id: AnyNode }>) bind(id, scope);
      return;
    }
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      bind(node['id'] as AnyNode | null, outer);
      break;
    case 'FunctionExpression':
    case 'ClassExpression':
      bind(node['id'] as AnyNode | null, inner);
      break;
    case 'CatchClause':
      bind(node['param'] as AnyNode | null, inner);
      return;
    default:
  }
  if (isFunction(node)) {
    inner.names.add('arguments');
    for (const param of node['params'] as AnyNode[]) bind(param, inner);
  }
}

function functionScope(scope: Scope): Scope {
  let at = scope;
  while (!at.ofFunction && at.parent !== null) at = at.parent;
  return at;
}

/** Every name of a pattern. */
function bind(pattern: AnyNode | null, scope: Scope): void {
  if (pattern === null || pattern === undefined) return;
  switch (pattern.type) {
    case 'Identifier':
      scope.names.add(pattern['name'] as string);
      return;
    case 'ObjectPattern':
      for (const member of pattern['properties'] as AnyNode[])
        bind((member['value'] ?? member['argument']) as AnyNode, scope);
      return;
    case 'ArrayPattern':
      for (const item of pattern['elements'] as Array<AnyNode | null>) bind(item, scope);
      return;
    default:
      bind((pattern['left'] ?? pattern['argument'] ?? null) as AnyNode | null, scope);
  }
}

/** Whether a member of a node is a mere name: of a property, a method, a label. */
function isName(node: AnyNode, key: string): boolean {
  if (key === 'property') return node.type === 'MemberExpression' && node['computed'] === false;
  if (key === 'key') return node['computed'] === false;
  if (key === 'label') return true;
  return key === 'meta' || (key === 'property' && node.type === 'MetaProperty');
}

function declared(name: string, from: Scope): boolean {
  for (let scope: Scope | null = from; scope !== null; scope = scope.parent) if (scope.names.has(name)) return true;
  return false;
}
