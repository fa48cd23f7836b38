import type { Engine } from '@goflow/plugin-sdk/runtime';

/** An engine whose calls of one bundle can be ended while they run. */
export interface RevocableEngine {
  readonly engine: Pick<Engine, 'call'>;
  /** Ends every call of these digests that runs now: they fail with `PLUGIN_UNAVAILABLE`. */
  endCalls(digests: ReadonlySet<string>): void;
}

const REVOKED = {
  code: 'PLUGIN_UNAVAILABLE',
  message: 'the plugin was revoked while the action ran',
  retryable: false,
} as const;

export function makeRevocable(engine: Pick<Engine, 'call'>): RevocableEngine {
  const running = new Map<string, Set<AbortController>>();
  return {
    engine: {
      async call(request, handlers, signal) {
        const { digest } = request.bundle;
        const stop = new AbortController();
        const cancel = (): void => stop.abort('cancelled');
        let calls = running.get(digest);
        if (calls === undefined) running.set(digest, (calls = new Set()));
        calls.add(stop);
        signal.addEventListener('abort', cancel, { once: true });
        if (signal.aborted) cancel();
        try {
          const outcome = await engine.call(request, handlers, stop.signal);
          const revoked = outcome.status === 'aborted' && outcome.reason === 'cancelled' && !signal.aborted;
          return revoked ? { status: 'failed', error: REVOKED, usage: null } : outcome;
        } finally {
          signal.removeEventListener('abort', cancel);
          calls.delete(stop);
          if (calls.size === 0) running.delete(digest);
        }
      },
    },
    endCalls(digests) {
      for (const digest of digests) for (const stop of running.get(digest) ?? []) stop.abort('cancelled');
    },
  };
}
