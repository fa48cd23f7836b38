import { textOf } from './text.ts';

const CODES: Readonly<Record<string, number>> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  InvalidCharacterError: 5,
  NotFoundError: 8,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidAccessError: 15,
  NetworkError: 19,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
};

export class DOMException extends Error {
  constructor(message: unknown = '', nameOrOptions: string | { name?: unknown; cause?: unknown } = 'Error') {
    super(String(message));
    const options = typeof nameOrOptions === 'string' ? { name: nameOrOptions } : nameOrOptions;
    Object.defineProperty(this, 'name', { value: textOf(options.name ?? 'Error'), configurable: true });
    if ('cause' in options) Object.defineProperty(this, 'cause', { value: options.cause, configurable: true });
  }

  get code(): number {
    return CODES[this.name] ?? 0;
  }

  get [Symbol.toStringTag](): string {
    return 'DOMException';
  }
}
