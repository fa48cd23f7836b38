/** A fault of a connector's source: what, where, and what to do. */
export interface BuildProblem {
  readonly message: string;
  /** Path relative to the project, with `/`. */
  readonly file?: string;
  /** Starts at 1. */
  readonly line?: number;
  /** Starts at 1. */
  readonly column?: number;
  readonly advice?: string;
}

/** A connector cannot be built. `problems` is never empty. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly problems: readonly BuildProblem[];

  constructor(problems: readonly BuildProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `src/index.ts:3:8: what is wrong. What to do.` */
export function formatProblem(problem: BuildProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const advice = problem.advice === undefined ? '' : ` ${problem.advice}`;
  return `${place === '' ? '' : `${place}: `}${problem.message}${advice}`;
}
