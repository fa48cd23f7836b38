import type { ErrorData } from '../../contract/index.ts';

/** An error of a call as an exception; `error` is what goes on a run's record. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly error: ErrorData;

  constructor(error: ErrorData) {
    super(error.message);
    this.error = error;
  }
}
