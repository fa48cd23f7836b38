import type Database from 'better-sqlite3';
import { Refusal } from './failure.ts';
import { MIGRATIONS } from './schema/index.ts';

/** "GoFl": tells our files from any other SQLite database. */
const APPLICATION_ID = 0x476f466c;

/** Brings the database to this version, whole or not at all. Throws a Refusal for a file that is newer or not ours. */
export function migrate(connection: Database.Database, file: string, migrations: readonly string[] = MIGRATIONS): void {
  const version = checkVersion(connection, file, migrations);
  if (version === migrations.length) return;
  // The version is part of the same transaction: a kill leaves the old schema or the new one.
  const upgrade = connection.transaction(() => {
    for (const sql of migrations.slice(version)) connection.exec(sql);
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.pragma(`user_version = ${migrations.length}`);
  });
  upgrade.exclusive();
}

/** The schema version of a database, 0 for an empty one. Throws a Refusal for a file that is newer or not ours. */
export function checkVersion(
  connection: Database.Database,
  file: string,
  migrations: readonly string[] = MIGRATIONS,
): number {
  const version = pragma(connection, 'user_version');
  const owner = pragma(connection, 'application_id');
  const tables = connection.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (owner !== APPLICATION_ID && (tables > 0 || version !== 0)) {
    throw new Refusal(
      'STORE_UNAVAILABLE',
      `${file} is a database of another program; move it away or choose another GOFLOW_DATA_DIR`,
    );
  }
  if (version > migrations.length) {
    throw new Refusal(
      'STORE_UNAVAILABLE',
      `${file} has schema version ${version}, this host knows up to ${migrations.length}; start the newer GoFlow that wrote it, or restore a backup made by this one`,
    );
  }
  return version;
}

function pragma(connection: Database.Database, name: string): number {
  return connection.pragma(name, { simple: true }) as number;
}
