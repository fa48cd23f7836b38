import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);

test.each(['docs/THREAT_MODEL.md', 'docs/SECRETS.md', 'SECURITY.md'])(
  '%s names files and folders that exist',
  async (page) => {
    const text = await readFile(new URL(page, ROOT), 'utf8');
    const named = [...text.matchAll(/`((?:docs|host|plugin-sdk|test)\/[A-Za-z0-9_./-]*)`/g)].map(([, path]) =>
      String(path),
    );
    expect(named.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
  },
);

test('docs/THREAT_MODEL.md says of each part what it does not defend', async () => {
  const text = await readFile(new URL('docs/THREAT_MODEL.md', ROOT), 'utf8');
  const parts = text
    .split(/^## /m)
    .slice(1)
    .filter((part) => /^(Walls|Secrets|Identity|Webhooks|HTTP)/.test(part));
  expect(parts).toHaveLength(5);
  for (const part of parts)
    expect(part.slice(0, 40)).toBe(/not defended/i.test(part) ? part.slice(0, 40) : 'Not defended: …');
});
