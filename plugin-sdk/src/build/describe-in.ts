import type { Engine } from '../runtime/engine/types.ts';
import type { BuildOptions } from './build-connector.ts';

/**
 * Reads definitions in an engine. The time that a connector may take to load begins when the engine takes calls: starting it on a busy
 * machine is not the connector's doing.
 */
export function describeIn(engine: Pick<Engine, 'ready' | 'describe'>): BuildOptions['describe'] {
  return async (bundle, timeoutMs) => {
    await engine.ready();
    return await engine.describe(bundle, timeoutMs);
  };
}
