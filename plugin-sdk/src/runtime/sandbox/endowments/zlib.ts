import { createDeflate, createDeflateRaw, createGunzip, createGzip, createInflate, createInflateRaw } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { Outer, ZlibFormat } from '../border.ts';
import type { Scope } from './endowment.ts';

const MAKERS = {
  compress: { gzip: createGzip, deflate: createDeflate, 'deflate-raw': createDeflateRaw },
  decompress: { gzip: createGunzip, deflate: createInflate, 'deflate-raw': createInflateRaw },
} as const;

/** What one chunk may come to, in bytes: a small bomb must not fill the memory before it is looked at. */
const MAX_OUTPUT = 64 * 1024 * 1024;

interface Running {
  readonly stream: Transform;
  readonly parts: Uint8Array[];
  /** Bytes of `parts`. */
  size: number;
  failure: Error | null;
  wake: ((error: Error | null) => void) | null;
}

export interface Zlib {
  readonly open: (...args: Parameters<Outer['openZlib']>) => number;
  readonly close: (stream: number) => void;
  /** Takes a chunk (`null`: the end) and gives what came out for it. */
  run(id: number, chunk: Uint8Array | null): Promise<Uint8Array>;
  dispose(): void;
}

/** (De)compression streams; one belongs to the call that opened it, and is destroyed with it. */
export function makeZlib(scope: Scope): Zlib {
  const open = new Map<number, Running>();
  let last = 0;

  function close(id: number): void {
    const running = open.get(id);
    open.delete(id);
    running?.stream.destroy();
  }

  return {
    open(format: ZlibFormat, direction) {
      const call = scope.current();
      if (call === undefined) return 0;
      const id = ++last;
      const stream = MAKERS[direction][format]();
      const running: Running = { stream, parts: [], size: 0, failure: null, wake: null };
      stream.on('data', (part: Uint8Array) => {
        running.size += part.byteLength;
        if (running.size > MAX_OUTPUT) stream.destroy(tooLarge());
        else running.parts.push(part);
      });
      stream.on('error', (error: Error) => {
        running.failure = error;
        running.parts.length = 0;
        running.wake?.(error);
      });
      open.set(id, running);
      call.own(() => close(id));
      return id;
    },
    close,
    async run(id, chunk) {
      const running = open.get(id);
      if (running === undefined) throw new TypeError('the stream is closed');
      await new Promise<void>((resolve, reject) => {
        if (running.failure !== null) return reject(running.failure);
        running.wake = (error) => (error ? reject(error) : resolve());
        if (chunk !== null) {
          running.stream.write(chunk, (error) => running.wake?.(error ?? null));
        } else {
          running.stream.on('end', () => running.wake?.(null));
          running.stream.end();
        }
      });
      if (chunk === null) close(id);
      running.size = 0;
      return joined(running.parts.splice(0));
    },
    dispose() {
      for (const id of open.keys()) close(id);
    },
  };
}

function tooLarge(): RangeError {
  return new RangeError(`one chunk comes to more than ${MAX_OUTPUT / 1024 / 1024} MB; write smaller ones`);
}

/** One array with memory of its own: zlib's parts are Node Buffers. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
