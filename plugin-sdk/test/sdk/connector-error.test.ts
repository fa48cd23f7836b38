import { describe, expect, it } from 'vitest';
import { CONNECTOR_ERROR_BRAND } from '../../src/contract/errors.ts';
import { ConnectorError } from '../../src/index.ts';

describe('ConnectorError', () => {
  it('carries code, message, retryable and details', () => {
    const error = new ConnectorError('RATE_LIMITED', 'slow down', { retryable: true, details: { limit: 10 } });
    expect(error).toMatchObject({
      name: 'ConnectorError',
      code: 'RATE_LIMITED',
      message: 'slow down',
      retryable: true,
      details: { limit: 10 },
    });
    expect(error).toBeInstanceOf(Error);
  });

  it('is not retryable and has no details unless told', () => {
    const error = new ConnectorError('X', 'y');
    expect(error.retryable).toBe(false);
    expect(Object.hasOwn(error, 'details')).toBe(false);
  });

  it('is told from other errors by its brand, across copies of the SDK', () => {
    const foreign = Object.assign(new Error('x'), { [CONNECTOR_ERROR_BRAND]: true });
    expect(ConnectorError.is(foreign)).toBe(true);
    expect(ConnectorError.is(new Error('x'))).toBe(false);
    expect(ConnectorError.is(null)).toBe(false);
  });
});
