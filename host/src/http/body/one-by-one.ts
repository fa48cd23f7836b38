/** From this size on, in bytes, parsing and checking a body takes milliseconds. */
const LARGE_BYTES = 64 * 1024;

const waiting: Array<() => void> = [];

/**
 * Resolves when it is this body's turn: large ones are handled one per turn of the event loop, so that others are heard between any two of them, however
 * many arrive at once. Small ones do not wait.
 */
export function largeBodyTurn(bytes: number): Promise<void> | null {
  if (bytes < LARGE_BYTES) return null;
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(next);
  });
}

function next(): void {
  waiting[0]?.();
  // What this one does runs before the next turn; only then is it the next one's.
  setImmediate(() => {
    waiting.shift();
    if (waiting.length > 0) next();
  });
}
