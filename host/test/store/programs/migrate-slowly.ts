import Database from 'better-sqlite3';
import { migrate } from '../../../src/store/sqlite/migrate.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/schema/index.ts';

// Begins a migration that takes minutes and fills the write-ahead log.
const file = process.argv[2] ?? '';
const database = new Database(file);
database.pragma('cache_size = 10');
process.stdout.write('migrating\n');
migrate(database, file, [
  ...MIGRATIONS,
  `CREATE TABLE half (n INTEGER, text TEXT);
   DROP TABLE plugin_storage;
   INSERT INTO half WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000000)
     SELECT n, hex(randomblob(500)) FROM c;`,
]);
