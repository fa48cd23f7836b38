import { decode, encode, type SourceMapMappings } from '@jridgewell/sourcemap-codec';

/** Replaces the characters from `start` up to `end`, which stand on one line, by `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The fields of a source map that a bundle keeps. */
export interface SourceMap {
  readonly version: 3;
  readonly sources: readonly string[];
  readonly names: readonly string[];
  readonly mappings: string;
}

/** Applies edits to code and moves the columns of its source map along. */
export function applyEdits(code: string, map: SourceMap, edits: readonly Edit[]): { code: string; map: SourceMap } {
  if (edits.length === 0) return { code, map };
  const ordered = [...edits].sort((a, b) => a.start - b.start);
  let edited = '';
  let at = 0;
  for (const edit of ordered) {
    edited += code.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  edited += code.slice(at);
  return { code: edited, map: { ...map, mappings: moveColumns(code, map.mappings, ordered) } };
}

/** Where a character of generated code comes from; line and column start at 0. */
export function originalPosition(
  code: string,
  map: SourceMap,
  offset: number,
): { source: string; line: number; column: number } | null {
  const { line, column } = position(code, offset);
  const segments = decode(map.mappings)[line] ?? [];
  const segment = segments.findLast((candidate) => candidate[0] <= column && candidate.length > 1);
  const source = segment?.[1] === undefined ? undefined : map.sources[segment[1]];
  return segment === undefined || source === undefined
    ? null
    : { source, line: segment[2] ?? 0, column: segment[3] ?? 0 };
}

/** One pass over the code's lines, the edits and each line's segments: bundles have thousands of each, on few lines. */
function moveColumns(code: string, mappings: string, edits: readonly Edit[]): string {
  const lines: SourceMapMappings = decode(mappings);
  let line = 0;
  let lineStart = 0;
  let lineEnd = endOfLine(code, 0);
  let next = 0;
  while (next < edits.length) {
    const onLine: Edit[] = [];
    for (let edit = edits[next]; edit !== undefined && edit.start <= lineEnd; edit = edits[++next]) onLine.push(edit);
    if (onLine.length > 0) moveOnLine(lines[line] ?? [], onLine, lineStart);
    line += 1;
    lineStart = lineEnd + 1;
    lineEnd = endOfLine(code, lineStart);
  }
  return encode(lines);
}

function moveOnLine(segments: SourceMapMappings[number], edits: readonly Edit[], lineStart: number): void {
  let moved = 0;
  let next = 0;
  for (const segment of segments) {
    const at = segment[0] + lineStart;
    let edit = edits[next];
    for (; edit !== undefined && at >= edit.end; edit = edits[++next])
      moved += edit.text.length - (edit.end - edit.start);
    segment[0] += edit !== undefined && at > edit.start ? moved + edit.start - at : moved;
  }
}

function endOfLine(code: string, from: number): number {
  const at = code.indexOf('\n', from);
  return at < 0 ? code.length : at;
}

function position(code: string, offset: number): { line: number; column: number } {
  let line = 0;
  let start = 0;
  for (let next = code.indexOf('\n'); next >= 0 && next < offset; next = code.indexOf('\n', start)) {
    line += 1;
    start = next + 1;
  }
  return { line, column: offset - start };
}
