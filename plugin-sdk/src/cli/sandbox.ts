import { createEngine, type Engine } from '../runtime/engine/engine.ts';

/**
 * Runs work with the production engine, and ends its processes afterwards, whatever happened. The engine starts while the work still
 * loads its own modules: import this file first and the rest inside `work`.
 */
export async function withEngine<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result> {
  const engine = createEngine({ processes: 1 });
  try {
    return await work(engine);
  } finally {
    await engine.shutdown();
  }
}
