import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import pino from 'pino';

/** Takes whole lines, without ever waiting for whoever reads them. */
export interface LogWriter {
  (line: string): void;
  /** Writes out what is buffered, and waits a little for it: for the end of the process. */
  flushSync(): void;
}

/** Lines of one event-loop turn are written together: a system call a line costs a tenth of a triggered run. */
const BUFFER_BYTES = 64 * 1024;
/** What is kept for a reader that is slower than the host; lines beyond it are dropped and counted. In characters. */
const MAX_PENDING = 16 * 1024 * 1024;
/** A pipe that is full is tried again after this many milliseconds. */
const FULL_PIPE_MS = 5;
/** How long the end of the process waits for a reader, in milliseconds. */
const LAST_WORDS_MS = 500;

/** Writes to a file descriptor, at the end of each turn of the event loop. */
export function createLogWriter(fd: number): LogWriter {
  return isPipe(fd) ? pipeWriter(fd) : fileWriter(fd);
}

function isPipe(fd: number): boolean {
  try {
    const file = fstatSync(fd);
    return file.isFIFO() || file.isSocket();
  } catch {
    return false;
  }
}

/** A file or a terminal takes what it is given at once. */
function fileWriter(fd: number): LogWriter {
  const output = pino.destination({ dest: fd, sync: true, minLength: BUFFER_BYTES, maxWrite: BUFFER_BYTES * 2 });
  // The disk may be full; the runs go on.
  output.on('error', () => undefined);
  // Handed on once a turn: pino's buffer is copied as a whole for each text that is added to it.
  let pending = '';
  const handOn = () => {
    if (pending !== '') output.write(pending);
    pending = '';
  };
  const turn = atEndOfTurn(() => {
    handOn();
    // Not `flushSync`: that waits for the disk, too.
    output.flush();
  });
  const write = (line: string) => {
    pending += line;
    turn();
  };
  const flushSync = () => {
    handOn();
    output.flushSync();
  };
  return Object.assign(write, { flushSync });
}

/**
 * A pipe may be full, and what writes to it then stands still until its reader reads on: whoever makes the host log much would stop it. So it is written to
 * without waiting, and what it does not take is kept and tried again.
 */
function pipeWriter(fd: number): LogWriter {
  const pipe = withoutWaiting(fd);
  let pending = '';
  /** What a full pipe has not taken. */
  let rest: Buffer = Buffer.alloc(0);
  let dropped = 0;
  let timer: NodeJS.Timeout | null = null;
  function writeOut(): void {
    if (timer !== null) return;
    while (rest.length > 0 || pending !== '') {
      if (rest.length === 0) {
        rest = Buffer.from(dropped === 0 ? pending : pending + droppedLine(dropped));
        pending = '';
        dropped = 0;
      }
      try {
        rest = rest.subarray(writeSync(pipe, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
          timer = setTimeout(tryAgain, FULL_PIPE_MS).unref();
          return;
        }
        // Whoever reads the lines has gone away; the runs go on.
        rest = Buffer.alloc(0);
        pending = '';
      }
    }
  }
  function tryAgain(): void {
    timer = null;
    writeOut();
  }
  const turn = atEndOfTurn(writeOut);
  const write = (line: string) => {
    if (pending.length > MAX_PENDING) {
      dropped += 1;
      return;
    }
    pending += line;
    turn();
  };
  return Object.assign(write, {
    flushSync() {
      for (const until = performance.now() + LAST_WORDS_MS; performance.now() < until; ) {
        if (timer !== null) clearTimeout(timer);
        tryAgain();
        if (timer === null) return;
      }
    },
  });
}

/**
 * The same pipe, opened once more for writing that does not wait; the descriptor itself is shared with other processes, which may count on waiting. A socket
 * cannot be opened again: that one is switched over, which Node does to standard output when it is first asked for.
 */
function withoutWaiting(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd === 1 ? process.stdout.fd : fd;
  }
}

function droppedLine(lines: number): string {
  const msg = 'log lines dropped: whoever reads them is too slow';
  return `${JSON.stringify({ timestamp: new Date().toISOString(), level: 'warn', msg, component: 'host', lines })}\n`;
}

function atEndOfTurn(then: () => void): () => void {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      then();
    });
  };
}
