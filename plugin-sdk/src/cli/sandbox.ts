import { createEngine, type Engine } from '../runtime/index.ts';

/** Runs work with the production engine, and ends its processes afterwards, whatever happened. */
export async function withEngine<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result> {
  const engine = createEngine({ processes: 1 });
  try {
    return await work(engine);
  } finally {
    await engine.shutdown();
  }
}
