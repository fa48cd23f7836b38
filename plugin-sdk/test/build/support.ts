import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';

const made: string[] = [];

afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A project folder with these files; it is gone after the test. */
export async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'goflow-project-'));
  made.push(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  return dir;
}

/** Source of a connector with one action `go`, whose body is given; `top` stands before it. */
export function connector(body: string, top = '', more = ''): string {
  return `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
${top}
export default defineConnector({
  name: 'sample',
  version: '1.0.0',${more}
  actions: {
    go: defineAction({ async run(ctx, input) { ${body} } }),
  },
});
`;
}
