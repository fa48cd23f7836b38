import type { JsonValue } from '@goflow/plugin-sdk/contract';

/**
 * Every error that the host can answer a request with. `status` is the HTTP status; `fault` says who has to act: the `client` that sent the
 * request, the `operator` who runs the host, or us (`bug`). docs/errors.md lists the same codes; a test compares the two.
 */
export const HOST_ERRORS = {
  BAD_REQUEST: { status: 400, fault: 'client', title: 'Bad request' },
  BAD_JSON: { status: 400, fault: 'client', title: 'Malformed JSON' },
  BODY_TOO_DEEP: { status: 400, fault: 'client', title: 'Body too deep' },
  VALIDATION_FAILED: { status: 400, fault: 'client', title: 'Validation failed' },
  BUNDLE_REFUSED: { status: 400, fault: 'client', title: 'Bundle refused' },
  UNAUTHENTICATED: { status: 401, fault: 'client', title: 'Authentication required' },
  FORBIDDEN: { status: 403, fault: 'client', title: 'Not allowed' },
  FOREIGN_ORIGIN: { status: 403, fault: 'client', title: 'Foreign origin' },
  NOT_FOUND: { status: 404, fault: 'client', title: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, fault: 'client', title: 'Method not allowed' },
  REQUEST_TIMEOUT: { status: 408, fault: 'client', title: 'Request took too long' },
  CONFLICT: { status: 409, fault: 'client', title: 'Conflict' },
  WORKFLOW_INACTIVE: { status: 409, fault: 'client', title: 'Workflow not active' },
  RUN_ENDED: { status: 409, fault: 'client', title: 'Run has ended' },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, fault: 'client', title: 'Request still being handled' },
  BODY_TOO_LARGE: { status: 413, fault: 'client', title: 'Body too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, fault: 'client', title: 'Unsupported media type' },
  IDEMPOTENCY_MISMATCH: { status: 422, fault: 'client', title: 'Idempotency key used with another body' },
  OVERLOADED: { status: 429, fault: 'client', title: 'Too many requests' },
  RATE_LIMITED: { status: 429, fault: 'client', title: 'Rate limit exceeded' },
  HEADERS_TOO_LARGE: { status: 431, fault: 'client', title: 'Headers too large' },
  INTERNAL: { status: 500, fault: 'bug', title: 'Internal error' },
  STORE_UNAVAILABLE: { status: 503, fault: 'operator', title: 'Store unavailable' },
  ISSUER_UNAVAILABLE: { status: 503, fault: 'operator', title: 'Identity provider unavailable' },
  SHUTTING_DOWN: { status: 503, fault: 'operator', title: 'Shutting down' },
  STORE_FULL: { status: 507, fault: 'operator', title: 'Storage full' },
} as const satisfies Record<string, { status: number; fault: 'client' | 'operator' | 'bug'; title: string }>;

export type HostErrorCode = keyof typeof HOST_ERRORS;

/** One problem of a request. `pointer` is a JSON Pointer (RFC 6901) into it; `keyword` the rule that it breaks. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
  readonly keyword: string;
}

/** The one error class of the host. `message` is for the person who sent the request: what happened, where, what to do. */
export class GoflowError extends Error {
  override readonly name = 'GoflowError';
  readonly code: HostErrorCode;
  readonly problems: readonly Problem[] | undefined;
  readonly details: JsonValue | undefined;
  /** Seconds after which another try makes sense, for `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(
    code: HostErrorCode,
    message: string,
    options: { problems?: readonly Problem[]; details?: JsonValue; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.problems = options.problems;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
  }
}

/** A request that breaks rules, with every problem. */
export function validationError(problems: readonly Problem[], what = 'the request'): GoflowError {
  const first = problems[0];
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more, see "errors")` : '';
  const detail = first === undefined ? `${what} is not valid` : `${first.pointer || '/'}: ${first.message}${more}`;
  return new GoflowError('VALIDATION_FAILED', detail, { problems });
}

/** The message of anything that can be thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
