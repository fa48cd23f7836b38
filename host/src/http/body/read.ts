import type { IncomingMessage } from 'node:http';
import { GoflowError } from '../../core/errors.ts';
import { Pace } from './pace.ts';

const NOTHING = Buffer.alloc(0);
const PACE = new Pace();

/** Whether the request says that it has a body. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return length === undefined ? req.headers['transfer-encoding'] !== undefined : length !== '0';
}

/**
 * The bytes of the body, at most `limit` of them; what comes after is thrown away unread. How long it may take is the server's
 * `requestTimeout`, which ends the connection: then, and when the client goes or dribbles, this rejects.
 */
export function readBody(req: IncomingMessage, limit: number, pace: Pace = PACE): Promise<Buffer> {
  if (!hasBody(req)) return Promise.resolve(NOTHING);
  if (Number(req.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    let first: Buffer | null = null;
    let rest: Buffer[] | null = null;
    let size = 0;
    const arrival = {
      get size() {
        return size;
      },
      giveUp(): void {
        settle();
        req.resume();
        reject(new GoflowError('REQUEST_TIMEOUT', 'the body comes too slowly'));
      },
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        settle();
        // Goes on reading, into nothing: a client that is still writing would otherwise see a reset instead of the answer.
        req.resume();
        reject(tooLarge(limit));
      } else if (first === null) first = chunk;
      else (rest ??= [first]).push(chunk);
    };
    const onEnd = (): void => {
      settle();
      resolve(rest === null ? (first ?? NOTHING) : Buffer.concat(rest, size));
    };
    const onGone = (): void => {
      settle();
      reject(new GoflowError('BAD_REQUEST', 'the connection ended before the body was complete'));
    };
    const settle = (): void => {
      pace.forget(arrival);
      req.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      // A late 'error' of the stream must not become an uncaught exception.
      req.on('error', ignore);
    };
    req.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    pace.watch(arrival);
  });
}

function ignore(): void {}

function tooLarge(limit: number): GoflowError {
  return new GoflowError('BODY_TOO_LARGE', `the body is larger than ${limit} bytes, which is the limit here`);
}
