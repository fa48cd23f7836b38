import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { REFUSED_MODULES } from '../../src/build/modules.ts';
import { FAILS, WORKS } from './packages.ts';

const require = createRequire(import.meta.url);

function version(name: string): string {
  const places = require.resolve.paths(name) ?? [];
  for (const place of places) {
    try {
      return (require(`${place}/${name}/package.json`) as { version: string }).version;
    } catch {
      // Not here.
    }
  }
  return '';
}

/** docs/COMPATIBILITY.md as it follows from the lists that the tests run. */
function compatibility(): string {
  return `# What runs in a connector

This page is made from the list in \`plugin-sdk/test/compat/packages.ts\`: the tests bundle each of these packages as \`goflow-plugin build\` does, and run it
in the sandbox. Any other package that needs nothing but the web platform runs as well; \`goflow-plugin check\` tells what one uses that is not there.

A connector has the globals of the web platform (as in the WinterTC minimum common API) and the built-ins of JavaScript. Packages are bundled for edge runtimes:
of their \`exports\`, the conditions \`workerd\`, \`worker\` and \`browser\` are taken.

## Packages that work

| package | version | for | to know |
| --- | --- | --- | --- |
${WORKS.map(({ name, for: what, note }) => `| \`${name}\` | ${version(name)} | ${what} | ${note ?? ''} |`).join('\n')}

## Packages that do not

| package | why | instead |
| --- | --- | --- |
${FAILS.map(({ name, why, instead }) => `| \`${name}\` | ${why} | ${instead} |`).join('\n')}

No code is made of text (\`eval\`, \`new Function\`), nothing native is loaded (\`.node\` files, WebAssembly), and nothing else is started (workers, processes).

## Modules of Node

A connector's own code imports none; the build says what to use instead. Three of them are so common in packages that a package which imports them gets a
stand-in in plain JavaScript: \`node:buffer\` (the package \`buffer\`), \`node:events\` (\`events\`) and \`node:stream\` (\`readable-stream\`).

| module | instead |
| --- | --- |
${REFUSED_MODULES.map(([names, instead]) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${instead} |`).join('\n')}

## What is otherwise than elsewhere

- The built-ins are frozen: \`Array.prototype.last = …\` throws. A property of that name on an object or class of one's own works.
- \`Error.stack\` tells no paths.
- A call ends with its action: timers, requests and sockets that it leaves behind are closed.
- Nothing but loading is done at the top of a file: no requests, no timers. Module state lives as long as the worker, and may be gone at any call: what has to
  last goes to \`ctx.storage\`.
- A secret is a placeholder that becomes the secret on its way to a granted host. What signs requests itself, or speaks a protocol over \`ctx.connect\`, needs
  \`secrets: 'value'\`.
`;
}

it('docs/COMPATIBILITY.md is what the tests run', async () => {
  expect(WORKS.length).toBeGreaterThanOrEqual(25);
  await expect(compatibility()).toMatchFileSnapshot('../../../docs/COMPATIBILITY.md');
});
