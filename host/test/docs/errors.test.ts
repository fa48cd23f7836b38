import { RUN_ERRORS } from '@goflow/plugin-sdk/contract';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { HOST_ERRORS } from '../../src/core/errors.ts';

describe('docs/errors.md', () => {
  const page = readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

  test('has every code of an answer with its status and fault, and no other', async () => {
    const rows = [...(await page).matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (\w+) \| \S/gm)];
    const listed = rows.map(([, code, status, fault]) => `${code} ${status} ${fault}`);
    const known = Object.entries(HOST_ERRORS).map(([code, { status, fault }]) => `${code} ${status} ${fault}`);
    expect(listed.toSorted()).toEqual(known.toSorted());
  });

  test('has every code of a run with its fault and whether to try again, and no other', async () => {
    const rows = [...(await page).matchAll(/^\| `([A-Z_]+)` \| ([a-z]+) \| (yes|no) \| \S/gm)];
    const listed = rows.map(([, code, fault, retryable]) => `${code} ${fault} ${retryable}`);
    const known = Object.entries(RUN_ERRORS).map(
      ([code, { fault, retryable }]) => `${code} ${fault} ${retryable ? 'yes' : 'no'}`,
    );
    expect(listed.toSorted()).toEqual(known.toSorted());
  });
});
