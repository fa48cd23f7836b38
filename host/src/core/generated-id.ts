import type { IdKind } from './ids.ts';

const UUID_V7 = /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/;

/** Whether a text has the form of an id that `newId` makes: 74 of its bits are random, so that nobody guesses it. */
export function isGeneratedId(kind: IdKind, id: string): boolean {
  return id.startsWith(`${kind}_`) && UUID_V7.test(id.slice(kind.length + 1));
}
