import type { HostErrorCode } from '../../core/errors.ts';

/** An error as it crosses from the store thread to the host. */
export interface Failure {
  readonly code: HostErrorCode;
  readonly message: string;
}

/**
 * What an operation throws to say no. It may be thrown only before the operation's first write, so that the transaction which it shares with
 * others goes on.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** SQLite's own result code (`SQLITE_BUSY`, `SQLITE_IOERR_FSYNC`, …), empty where the error is not SQLite's. */
export function sqliteCodeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : '';
}

/** Somebody else holds a lock on the database: worth another try. */
export function isLocked(thrown: unknown): boolean {
  const code = sqliteCodeOf(thrown);
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code === 'SQLITE_PROTOCOL';
}

export function isFull(thrown: unknown): boolean {
  return sqliteCodeOf(thrown) === 'SQLITE_FULL';
}

export function isDamaged(thrown: unknown): boolean {
  const code = sqliteCodeOf(thrown);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

export function lockedFailure(file: string): Failure {
  return { code: 'STORE_UNAVAILABLE', message: `${file} is locked by another process; end that process` };
}

/** What an operator is told of any error of the database, with the way out. */
export function failureOf(thrown: unknown, file: string): Failure {
  if (thrown instanceof Refusal) return { code: thrown.code, message: thrown.message };
  const code = sqliteCodeOf(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (isFull(thrown)) {
    return { code: 'STORE_FULL', message: `no space left for ${file}; free some, writes go on by themselves then` };
  }
  if (isLocked(thrown)) return lockedFailure(file);
  if (isDamaged(thrown)) {
    return {
      code: 'STORE_UNAVAILABLE',
      message: `${file} is damaged (${code}: ${message}); restore a backup, or move the file away to start with an empty database`,
    };
  }
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|NOMEM|PERM|AUTH)/.test(code)) {
    return {
      code: 'STORE_UNAVAILABLE',
      message: `${file} cannot be read or written (${code}: ${message}); check the disk and the rights of the data directory`,
    };
  }
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') {
    return { code: 'CONFLICT', message: `there already (${message})` };
  }
  return { code: 'INTERNAL', message: code === '' ? `store: ${message}` : `store: ${code}: ${message}` };
}
