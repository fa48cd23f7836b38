import { formatProblem, type BuildProblem } from '../build/problem.ts';

/** Ends a command: what is wrong, where, and what to do. Printed without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** 1: the work failed; 2: the command was not used rightly. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 1) {
    super(message);
    this.status = status;
  }
}

/** A wrong argument or option. */
export function usage(message: string): Failure {
  return new Failure(message, 2);
}

/** All problems of a project, one a line. */
export function problems(found: readonly BuildProblem[]): Failure {
  const count = found.length === 1 ? '1 problem' : `${found.length} problems`;
  return new Failure(`${found.map(formatProblem).join('\n')}\n${count} found.`);
}
