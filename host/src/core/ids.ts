import { v7 as uuidv7 } from 'uuid';

export type IdKind = 'wf' | 'run' | 'cred' | 'key' | 'aud';

/** An opaque id that says what it is and sorts by time: kind, underscore, UUIDv7 without dashes. */
export function newId(kind: IdKind): string {
  return `${kind}_${uuidv7().replaceAll('-', '')}`;
}
