import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { RUN_ERRORS } from '@goflow/plugin-sdk/contract';
import { describe, expect, test } from 'vitest';
import { readConfig, VARIABLES } from '../../src/core/config.ts';
import { HOST_ERRORS } from '../../src/core/errors.ts';
import { ROOT } from '../support/running-host.ts';

const page = readFileSync(path.join(ROOT, 'docs/OPERATIONS.md'), 'utf8');
const unit = readFileSync(path.join(ROOT, 'docs/operations/goflow.service'), 'utf8');

function rowOf(variable: (typeof VARIABLES)[number]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const names = [variable.name, ...('alias' in variable ? [variable.alias] : [])].map((name) => `\`${name}\``);
  const { fallback } = variable;
  const shown = fallback === undefined ? 'none' : fallback === '' ? 'empty' : `\`${fallback}\``;
  return `| ${names.join(', ')} | ${shown} | ${cell(variable.allowed)} | ${cell(variable.meaning)} |`;
}

describe('docs/OPERATIONS.md', () => {
  test('has the table of configuration exactly as the code has it', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `GOFLOW_'));
    expect(rows).toEqual(VARIABLES.map(rowOf));
  });

  test('names no variable and no code that does not exist', () => {
    const known = new Set<string>(VARIABLES.map(({ name }) => name));
    for (const [name] of page.matchAll(/\bGOFLOW_[A-Z_]+\b/g)) expect(known).toContain(name);
    const codes = new Set([...Object.keys(HOST_ERRORS), ...Object.keys(RUN_ERRORS)]);
    const [, table] = page.split('## What to do when') as [string, string];
    const named = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code]) => code as string);
    expect(named.length).toBeGreaterThan(10);
    for (const code of named.filter((one) => !known.has(one))) expect(codes).toContain(code);
  });

  test('links to pages that exist', () => {
    for (const [, link] of page.matchAll(/\]\(([A-Za-z][^)#]*)/g))
      expect(existsSync(path.join(ROOT, 'docs', link as string)), link).toBe(true);
  });
});

describe('the systemd unit', () => {
  test('sets variables that exist, to values that are taken', () => {
    const settings = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    expect(settings.length).toBeGreaterThan(1);
    const names = new Set<string>(VARIABLES.map(({ name }) => name));
    for (const [name] of settings) expect(names).toContain(name);
    expect(() => readConfig(Object.fromEntries(settings) as Record<string, string>)).not.toThrow();
  });

  test('gives the host more time than it takes to drain, and does not repeat a wrong configuration', () => {
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
    expect(stop).toBeGreaterThan(readConfig({}).drainTimeout + 5);
    expect(unit).toMatch(/^RestartPreventExitStatus=2$/m);
    expect(unit).toContain('node_modules/.bin/goflow start');
  });
});
