import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { newTraceId } from '../core/context.ts';
import { GoflowError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { problemOf, PROBLEM_TYPE } from './middleware/problem.ts';
import { API_HEADERS } from './middleware/security-headers.ts';

/** How long a client that is still sending may go on, into nothing, in milliseconds: a reset would take the answer from it. */
const LINGER_MS = 1000;
const answered = new WeakSet<Duplex>();

/** Answers what is not HTTP, or not in time, with the same kind of problem document as everything else, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, log: Logger): void {
  // Each further piece of the same garbage is an error again.
  if (answered.has(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  answered.add(socket);
  const refused = refusalOf(error.code);
  const traceId = newTraceId();
  const problem = problemOf(refused, traceId);
  log.info(null, 'request refused', {
    status: problem.status,
    trace_id: traceId,
    'error.code': problem.code,
    'error.message': error.code,
  });

  // Node keeps the answer in progress of a connection under this name; there is no other way to learn whether there is one.
  const current = (socket as Duplex & { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? null;
  const bytes = rawAnswer(problem.status, traceId, JSON.stringify(problem));
  if (current === null || (!current.headersSent && !current.req.complete)) endWith(socket, bytes);
  // Garbage after a good request: that one is answered first.
  else if (current.req.complete && !current.writableFinished) current.once('close', () => endWith(socket, bytes));
  else socket.destroy();
}

function endWith(socket: Duplex, bytes: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(bytes);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
}

function refusalOf(code: string | undefined): GoflowError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new GoflowError('HEADERS_TOO_LARGE', 'the request line and headers are larger than 16 kB');
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new GoflowError('BODY_TOO_LARGE', 'the chunk extensions of the body are larger than 16 kB');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new GoflowError('REQUEST_TIMEOUT', 'the request did not arrive in time');
  }
  return new GoflowError('BAD_REQUEST', 'this is not a well-formed HTTP/1.1 request');
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
};

function rawAnswer(status: number, traceId: string, body: string): string {
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
    `X-Trace-Id: ${traceId}`,
    `Date: ${new Date().toUTCString()}`,
  ];
  for (let i = 0; i < API_HEADERS.length; i += 2) lines.push(`${API_HEADERS[i]}: ${API_HEADERS[i + 1]}`);
  lines.push(`Content-Type: ${PROBLEM_TYPE}`, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close');
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
