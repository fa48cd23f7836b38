import type { Logger } from '../../core/log.ts';
import { GoflowError, HOST_ERRORS } from '../../core/errors.ts';
import type { HostErrorCode } from '../../core/errors.ts';
import type { Exchange } from '../exchange.ts';
import { send } from '../reply.ts';

/** A problem document (RFC 9457). */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: HostErrorCode;
  readonly trace_id: string;
  readonly errors?: readonly unknown[];
  readonly details?: unknown;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
const TYPE_BASE = 'https://goflow.dev/errors/';

/** What a client is told of anything thrown: a GoflowError as it is, everything else as INTERNAL without a word of what it was. */
export function problemOf(thrown: unknown, traceId: string): ProblemDocument {
  const error =
    thrown instanceof GoflowError
      ? thrown
      : new GoflowError('INTERNAL', 'the host could not answer; its log has the reason under this trace_id');
  const row = HOST_ERRORS[error.code];
  return {
    type: TYPE_BASE + error.code,
    title: row.title,
    status: row.status,
    detail: error.message,
    code: error.code,
    trace_id: traceId,
    ...(error.problems === undefined ? undefined : { errors: error.problems }),
    ...(error.details === undefined ? undefined : { details: error.details }),
  };
}

/** Answers with the problem. What is nobody's known error is logged with its stack; the client sees none of it. */
export function sendProblem(exchange: Exchange, thrown: unknown, log: Logger, headers: readonly string[] = []): void {
  const problem = problemOf(thrown, exchange.traceId);
  exchange.errorCode = problem.code;
  if (problem.status >= 500) logFault(exchange, thrown, problem, log);
  const all = [...headers];
  if (problem.status === 401) all.push('WWW-Authenticate', 'Bearer realm="goflow"');
  const retryAfter = thrown instanceof GoflowError ? thrown.retryAfter : undefined;
  if (retryAfter !== undefined) all.push('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
  send(exchange, {
    kind: 'text',
    status: problem.status,
    type: PROBLEM_TYPE,
    text: JSON.stringify(problem),
    headers: all,
  });
}

function logFault(exchange: Exchange, thrown: unknown, problem: ProblemDocument, log: Logger): void {
  log.error(null, 'request failed', {
    method: exchange.req.method,
    path: exchange.path,
    trace_id: exchange.traceId,
    span_id: exchange.spanId,
    tenant_id: exchange.principal?.tenantId,
    user_id: exchange.principal?.userId,
    'error.code': problem.code,
    'error.message': thrown instanceof Error ? thrown.message : String(thrown),
    'error.stack': thrown instanceof Error ? stackOf(thrown) : undefined,
  });
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack ?? error.cause.message}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
