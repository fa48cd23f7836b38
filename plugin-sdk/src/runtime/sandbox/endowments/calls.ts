import type { ConnectorLogLevel, ErrorData, JsonObject } from '../../../contract/index.ts';
import { MAX_RESULT_CHARS } from '../../../contract/index.ts';
import { isBrokerCall } from '../../protocol/check-broker.ts';
import { defineEndowment, nothingToDispose } from './endowment.ts';

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** How a call ends, asks and tells. What arrives is checked again here, although the guest half has made it. */
export const calls = defineEndowment({
  names: ['current', 'finish', 'fail', 'ask', 'log', 'progress', 'span'],
  make(scope) {
    return {
      values: {
        current() {
          return scope.current()?.key ?? 0;
        },
        finish(key, text) {
          const call = scope.call(key);
          if (call === undefined) return;
          if (typeof text !== 'string' || text.length > MAX_RESULT_CHARS) {
            call.fail({ code: 'RESULT_TOO_LARGE', message: 'the result is too large', retryable: false });
          } else {
            call.succeed(text);
          }
        },
        fail(key, error) {
          scope.call(key)?.fail(readErrorData(error));
        },
        ask(key, request, bytes) {
          const call = scope.call(key);
          if (call === undefined) return 0;
          const asked = readRequest(request, bytes);
          // The engine ends a worker that sends anything else.
          return isBrokerCall(asked) ? call.ask(asked) : -1;
        },
        log(key, level, message, fields) {
          if (!LEVELS.includes(level)) return;
          scope
            .call(key)
            ?.log(
              level satisfies ConnectorLogLevel,
              message,
              fields === null ? null : (JSON.parse(fields) as JsonObject),
            );
        },
        progress(key, fraction, message) {
          scope.call(key)?.progress(fraction, message);
        },
        span(key, name, durationMs, failed) {
          scope.call(key)?.span(name, durationMs, failed);
        },
      },
      dispose: nothingToDispose,
    };
  },
});

/** The request as data of our own making; its bytes travel beside the text. */
function readRequest(request: string, bytes: Uint8Array | null): unknown {
  const parsed = JSON.parse(request) as { readonly op: unknown; readonly request?: object };
  if (parsed.op === 'fetch') return { op: 'fetch', request: { ...parsed.request, body: bytes } };
  if (parsed.op === 'socket.write') return { ...parsed, data: bytes ?? new Uint8Array(0) };
  return parsed;
}

/** An error as the guest half reports it: JSON text of an `ErrorData`. */
export function readErrorData(text: string): ErrorData {
  const data = JSON.parse(text) as Partial<ErrorData>;
  return {
    code: typeof data.code === 'string' ? data.code : 'CONNECTOR_ERROR',
    message: typeof data.message === 'string' ? data.message : 'the connector failed',
    retryable: data.retryable === true,
    ...(data.details === undefined ? {} : { details: data.details }),
  };
}
