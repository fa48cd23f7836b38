import path from 'node:path';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { backupTo } from './backup.ts';
import type { Db } from './db.ts';
import { type Failure, failureOf } from './failure.ts';
import { GroupCommit } from './group-commit.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { DATABASE_FILE, openDatabase } from './open-database.ts';
import type { FromThread, Request, ThreadData, ToThread } from './protocol.ts';

/** Entry of the store thread: the one place that touches the database file. */

/** Operations in one transaction: bounds how long the first of them waits for its answer. */
const MAX_BATCH = 1024;

if (parentPort === null) throw new Error('thread.ts is a worker thread, not a program');
const port = parentPort;
const { dataDir } = workerData as ThreadData;
const file = path.join(dataDir, DATABASE_FILE);

function send(message: FromThread): void {
  port.postMessage(message);
}

start();

function start(): void {
  let lock: DirectoryLock | null = null;
  try {
    lock = lockDirectory(dataDir);
    serve(openDatabase(dataDir), lock);
    send({ kind: 'ready' });
  } catch (error) {
    lock?.release();
    send({ kind: 'refused', failure: failureOf(error, file) });
    port.close();
  }
}

function serve(db: Db, lock: DirectoryLock): void {
  const commit = new GroupCommit(db, file, send);
  port.on('message', (first: ToThread) => {
    let requests: Request[] = [];
    // What arrived during the last commit shares the next one.
    for (let message: ToThread | undefined = first; message !== undefined; message = nextMessage()) {
      if (message.kind === 'batch') {
        requests = requests.length === 0 ? [...message.requests] : requests.concat(message.requests);
        if (requests.length < MAX_BATCH) continue;
      }
      if (requests.length > 0) commit.run(requests);
      requests = [];
      if (message.kind === 'backup') void backup(db, message.id, message.file);
      if (message.kind === 'close') {
        commit.close();
        // Closing the last connection copies the log into the database and deletes it.
        db.connection.close();
        lock.release();
        port.close();
        return;
      }
    }
    if (requests.length > 0) commit.run(requests);
  });
}

function nextMessage(): ToThread | undefined {
  return (receiveMessageOnPort(port) as { readonly message: ToThread } | undefined)?.message;
}

async function backup(db: Db, id: number, target: string): Promise<void> {
  let failure: Failure | null = null;
  try {
    await backupTo(db, target);
  } catch (error) {
    failure = failureOf(error, target);
  }
  send({ kind: 'answers', answers: [[id, failure, null]] });
}
