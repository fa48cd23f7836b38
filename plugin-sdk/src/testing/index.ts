/** For the tests of connector authors: a connector in the production sandbox. */
export { BuildError, type BuildProblem } from '../build/problem.ts';
export { connectionLost, cutBody, faultAt, FAULTS, noAnswer, serverError, tooManyRequests } from './faults.ts';
export type { Leaks } from './leaks.ts';
export { openConnector, type OpenConnector, type OpenOptions, type RunOptions } from './open-connector.ts';
export type { ActionOutcome, ActionRecord, LogLine } from './outcome.ts';
export type { Exchange } from './recording.ts';
export { cancelAtEachAwait, type CutShort, eachFault, squeezeDeadline, type Swept } from './sweeps.ts';
export type { Tap, TapView } from './tap.ts';
export type { Upstream } from './upstream.ts';
