import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the system knows of processes (Linux; elsewhere `isKnown` is false and nothing is counted). */
export const isKnown = process.platform === 'linux';

/** The process and all its descendants. */
export function processesOf(pid: number): number[] {
  const found = [pid];
  for (const task of listed(`/proc/${pid}/task`)) {
    const children = read(`/proc/${pid}/task/${task}/children`)
      .trim()
      .split(' ')
      .filter((text) => text !== '');
    for (const child of children) found.push(...processesOf(Number(child)));
  }
  return found;
}

/** The engine processes of a host, the one that serves first. */
export function enginesOf(hostPid: number): number[] {
  return processesOf(hostPid).filter((pid) => read(`/proc/${pid}/cmdline`).includes('--permission'));
}

/** What a host and its engines hold, all together. */
export interface Holdings {
  readonly processes: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly sockets: number;
  /** Resident memory, pages that are shared counted once, in MiB. */
  readonly megabytes: number;
}

export function holdingsOf(hostPid: number): Holdings {
  const pids = processesOf(hostPid);
  const links = pids.flatMap((pid) => listed(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  return {
    processes: pids.length,
    threads: sum(pids.map((pid) => listed(`/proc/${pid}/task`).length)),
    descriptors: links.length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    megabytes: sum(
      pids.map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024),
    ),
  };
}

/** Processor time that a host and its engines have used so far, in milliseconds. */
export function cpuMsOf(hostPid: number): number {
  // Fields 14 and 15 of `stat`, in ticks of 10 ms; the command name before may hold spaces.
  return sum(
    processesOf(hostPid).map((pid) => {
      const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
    }),
  );
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
