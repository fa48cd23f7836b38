import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** One event of a stream; `data` is one line of JSON. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

export const HEARTBEAT_MS = 15_000;

/**
 * Writes events as Server-Sent Events until the source ends, then ends the answer. The head must have been written. The next event is asked for
 * only when the socket has taken the one before; proxies and clients see a comment at least every 15 s. Once `signal` fires nothing more is
 * written; leaving the loop returns the source.
 */
export async function streamEvents(
  res: ServerResponse,
  events: AsyncIterable<StreamEvent>,
  signal: AbortSignal,
  heartbeatMs: number = HEARTBEAT_MS,
): Promise<void> {
  const heartbeat = setInterval(() => {
    if (!res.writableNeedDrain && !res.destroyed) res.write(':\n\n');
  }, heartbeatMs);
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      if (!res.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`))
        await once(res, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    res.end();
  }
}
