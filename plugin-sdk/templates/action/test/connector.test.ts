import { afterAll, describe, expect, it } from 'vitest';
import { openConnector } from '@goflow/plugin-sdk/testing';

// Builds the connector and runs it in the same sandbox as the host does.
const connector = await openConnector({ dir: new URL('..', import.meta.url) });
afterAll(() => connector.close());

describe('greet', () => {
  it('greets by name', async () => {
    const outcome = await connector.run('greet', { name: 'Ada' });
    expect(outcome).toMatchObject({ status: 'succeeded', output: { greeting: 'Hello Ada!' } });
  });

  it('says what is wrong with an empty name', async () => {
    const outcome = await connector.run('greet', { name: ' ' });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'NAME_EMPTY' } });
  });

  it('refuses input that does not fit the schema', async () => {
    const outcome = await connector.run('greet', { nmae: 'Ada' });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'INPUT_INVALID' } });
  });
});
