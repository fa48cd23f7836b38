import { readFileSync, readdirSync } from 'node:fs';

/** SIGKILL to a process and everything below it, as a power cut would end them. The caller waits for the end. */
export function killTree(pid: number): void {
  // The parent is stopped first, so that it starts nothing while its children are being listed.
  signal(pid, 'SIGSTOP');
  for (const one of descendants(pid)) signal(one, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function descendants(pid: number): number[] {
  const found = [pid];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
      for (const child of children.split(' ').filter((text) => text !== '')) found.push(...descendants(Number(child)));
    }
  } catch {
    // It has ended by itself.
  }
  return found;
}
