/** For the tests of connector authors: a connector in the production sandbox. */
export { BuildError, type BuildProblem } from '../build/problem.ts';
export { openConnector, type OpenConnector, type OpenOptions, type RunOptions } from './open-connector.ts';
export type { ActionOutcome, ActionRecord, LogLine } from './outcome.ts';
