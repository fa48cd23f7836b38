// Holds the write lock of a database until it is killed. Says "locked" when it has it.
import Database from 'better-sqlite3';

const database = new Database(process.argv[2]);
database.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
// A database that nothing refers to any more is closed by the garbage collector.
process.stdin.on('end', () => database.close()).resume();
