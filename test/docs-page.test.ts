import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, startHost, type HostProcess } from './support/host-process.ts';

const CHROMIUM = '/usr/bin/chromium';
const found = existsSync(CHROMIUM);
if (!found) process.stderr.write("test/docs-page: skipped, Debian's chromium is not installed\n");

describe.runIf(found)('the reference page in a real browser', () => {
  let host: HostProcess;
  let browser: Browser;

  beforeAll(async () => {
    [host, browser] = await Promise.all([
      startHost(),
      chromium.launch({
        executablePath: CHROMIUM,
        args: [
          '--no-sandbox',
          '--disable-quic',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
      }),
    ]);
    const made = await host.request('POST', '/api/workflows', {
      name: 'Greet <b>somebody</b>',
      parameters: [{ name: 'customer_name', type: 'string', required: true }],
    });
    expect(made.status).toBe(201);
  });
  afterAll(async () => {
    await browser?.close();
    await cleanUp();
  });

  it('shows every route and the workflow, asks nobody else for anything, and reports no fault', async () => {
    const page = await browser.newPage();
    const faults: string[] = [];
    const asked: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => asked.push(new URL(request.url()).origin));
    await page.goto(`${host.url}/docs`);
    await page.getByText('/api/workflows/{id}/trigger').first().waitFor();
    await page.getByText('Greet <b>somebody</b>').first().waitFor();
    const shown = await page.locator('body').innerText();
    const { paths } = (await host.request('GET', '/api/openapi.json')).body as { paths: Record<string, unknown> };
    for (const path of Object.keys(paths)) expect(shown).toContain(path);
    expect(await page.locator('b', { hasText: 'somebody' }).count()).toBe(0);
    expect(new Set(asked)).toEqual(new Set([host.url]));
    expect(faults).toEqual([]);
    await page.close();
  });
});
