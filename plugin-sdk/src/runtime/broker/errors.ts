import type { ErrorData, JsonObject, RunErrorCode } from '../../contract/index.ts';

/** Why a broker call failed, in the form in which it is answered. Messages are for people and never hold a secret. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly data: ErrorData;
  /** For the egress record: the entry or check that refused. */
  readonly rule: string | null;

  constructor(
    code: RunErrorCode,
    message: string,
    options: { retryable?: boolean; details?: JsonObject; rule?: string } = {},
  ) {
    super(message);
    this.data = {
      code,
      message,
      retryable: options.retryable ?? false,
      ...(options.details && { details: options.details }),
    };
    this.rule = options.rule ?? null;
  }
}

/** The connector sent something that no library of ours would send: its own fault, nothing was done. */
export function invalidCall(message: string): BrokerError {
  return new BrokerError('CONNECTOR_ERROR', message);
}

/** Something that a permission or the address guard does not let through. `target` is the host as it was asked for. */
export function egressDenied(target: string, why: string, rule: string): BrokerError {
  return new BrokerError('EGRESS_DENIED', `${target} may not be reached: ${why}`, {
    details: { host: target, rule },
    rule,
  });
}

/** The network, or the other side of it, failed in a way that may pass. */
export function networkError(message: string, details: JsonObject): BrokerError {
  return new BrokerError('NETWORK_ERROR', message, { retryable: true, details });
}

/** Whether the other side or the way to it failed, rather than what was asked of it. */
export function isNetworkFailure({ data }: BrokerError): boolean {
  return data.code === 'NETWORK_ERROR' && data.retryable;
}

/** The answer broke a limit or a rule; asking again would give the same. */
export function unusableAnswer(message: string, details: JsonObject): BrokerError {
  return new BrokerError('NETWORK_ERROR', message, { details });
}

/**
 * Turns what `node:net`, `node:tls`, `node:dns` or undici threw into an error for people. Only the code of the original is kept:
 * their messages can quote headers and paths, which may hold secrets.
 */
export function fromNetworkFailure(target: string, error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const cause = causeCode(error);
  return networkError(`${target} ${describeCause(cause)}`, { host: target, cause });
}

function causeCode(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  // undici gives its parser's errors no code.
  if (first instanceof Error && first.name === 'HTTPParserError') return 'HPE_INVALID';
  const code = typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'UNKNOWN';
}

function describeCause(cause: string): string {
  const known = CAUSES[cause];
  if (known !== undefined) return known;
  if (
    /^(?:ERR_TLS|ERR_SSL|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH)/.test(
      cause,
    )
  )
    return `did not pass the TLS check (${cause})`;
  if (cause.startsWith('HPE_')) return 'answered with something that is not HTTP';
  return `failed (${cause})`;
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no address: the name does not exist',
  ENODATA: 'has no address: the name has no address record',
  EAI_AGAIN: 'has no address: the name server did not answer',
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection before the answer was complete',
  EPIPE: 'closed the connection while data was being sent',
  UND_ERR_SOCKET: 'closed the connection before the answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'sent an answer that is shorter or longer than announced',
  UND_ERR_HEADERS_OVERFLOW: 'sent more headers than are read',
  UND_ERR_HEADERS_TIMEOUT: 'did not answer in time',
  ETIMEDOUT: 'did not answer in time',
  EHOSTUNREACH: 'cannot be reached from here',
  ENETUNREACH: 'cannot be reached from here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'showed a TLS certificate for another name',
  CERT_HAS_EXPIRED: 'showed a TLS certificate that has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'showed a TLS certificate that nobody vouches for (self-signed)',
  SELF_SIGNED_CERT_IN_CHAIN: 'showed a TLS certificate that nobody vouches for (self-signed)',
  EPROTO: 'does not speak TLS as it should',
};
