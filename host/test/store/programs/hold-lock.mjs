// Holds the write lock of a database until it is killed. Says "locked" when it has it.
import Database from 'better-sqlite3';
import { writeSync } from 'node:fs';

const database = new Database(process.argv[2]);
database.exec('BEGIN IMMEDIATE');
writeSync(1, 'locked\n');
// A database that nothing refers to any more is closed by the garbage collector.
process.stdin.on('end', () => database.close()).resume();
