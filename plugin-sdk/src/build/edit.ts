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

function moveColumns(code: string, mappings: string, edits: readonly Edit[]): string {
  const lines: SourceMapMappings = decode(mappings);
  const byLine = Map.groupBy(edits, (edit) => position(code, edit.start).line);
  for (const [line, onLine] of byLine) {
    for (const segment of lines[line] ?? []) {
      let moved = 0;
      for (const edit of onLine) {
        const start = position(code, edit.start).column;
        const end = start + edit.end - edit.start;
        if (segment[0] >= end) moved += edit.text.length - (edit.end - edit.start);
        else if (segment[0] > start) moved += start - segment[0];
      }
      segment[0] += moved;
    }
  }
  return encode(lines);
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
