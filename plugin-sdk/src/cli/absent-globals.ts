import type { BuiltConnector } from '../build/build-connector.ts';
import { originalPosition, type SourceMap } from '../build/edit.ts';
import { findFreeNames } from '../build/free-names.ts';
import { type BuildProblem, formatProblem } from '../build/problem.ts';

/** Globals of Node and of browsers that a connector has not, and what to use instead. */
const ABSENT: Readonly<Record<string, string>> = {
  process: 'There is no process or environment: put settings into the input or the credential.',
  Buffer: 'Use Uint8Array, TextEncoder, TextDecoder, atob and btoa.',
  require: 'Use import.',
  __dirname: 'A connector has no files.',
  __filename: 'A connector has no files.',
  window: 'Use globalThis.',
  document: 'There is no page.',
  localStorage: 'Use ctx.storage.',
  sessionStorage: 'Use ctx.storage.',
  indexedDB: 'Use ctx.storage.',
  XMLHttpRequest: 'Use ctx.fetch.',
  WebSocket: 'Use ctx.fetch, or ctx.connect for a protocol of your own.',
  EventSource: 'Use ctx.fetch and read the body as it comes.',
  Worker: 'A connector runs alone in its sandbox and starts nothing.',
  SharedArrayBuffer: 'Use ArrayBuffer.',
  WebAssembly: 'Use a package in plain JavaScript.',
  importScripts: 'Use import: everything is bundled when the connector is built.',
};

/** Where a bundle uses what its sandbox has not; each name once per source file. What a library asks `typeof` of is left out. */
export function absentGlobals({ bundle }: BuiltConnector): string[] {
  const code = bundle.files['plugin.js'];
  const map = JSON.parse(bundle.files['plugin.js.map'] ?? 'null') as SourceMap | null;
  const found = new Map<string, BuildProblem>();
  for (const { name, at } of findFreeNames(code)) {
    const problem = problemOf(name, code.slice(at + name.length));
    if (problem === null) continue;
    const origin = map === null ? null : originalPosition(code, map, at);
    const place = origin === null ? {} : { file: origin.source, line: origin.line + 1, column: origin.column + 1 };
    const key = `${name} ${origin?.source}`;
    if (!found.has(key)) found.set(key, { ...place, ...problem });
  }
  return [...found.values()].map(formatProblem);
}

function problemOf(name: string, after: string): Pick<BuildProblem, 'message' | 'advice'> | null {
  if (name === 'Function')
    return /^\s*\(/.test(after)
      ? { message: 'Function() makes code of text, which a connector cannot.', advice: 'Write the code out.' }
      : null;
  const advice = Object.hasOwn(ABSENT, name) ? ABSENT[name] : undefined;
  return advice === undefined ? null : { message: `"${name}" is not there in a connector.`, advice };
}
