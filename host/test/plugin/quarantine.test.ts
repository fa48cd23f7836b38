import { describe, expect, test } from 'vitest';
import { createQuarantine, type Quarantine } from '../../src/plugin/quarantine.ts';
import type { CallOutcomeKind } from '../../src/plugin/types.ts';
import { bundleBytes } from './support/bundle.ts';
import { BOOTSTRAP, CTX, openHost } from './support/host.ts';

const DIGEST = 'sha256-a';
const TENANT = 'acme';

function ward() {
  let at = 1000;
  const quarantine = createQuarantine(() => at);
  return {
    quarantine,
    wait: (ms: number) => void (at += ms),
    admit: () => quarantine.admit(DIGEST, TENANT),
    note: (outcome: CallOutcomeKind) => quarantine.note(DIGEST, TENANT, outcome),
  };
}

function kill(quarantine: Pick<Quarantine, 'note'>, times: number, outcome: CallOutcomeKind = 'killed'): void {
  for (let i = 0; i < times; i += 1) quarantine.note(DIGEST, TENANT, outcome);
}

describe('quarantine', () => {
  test('begins with the fifth kill in a minute and lasts half a minute', () => {
    const { quarantine, admit, wait } = ward();
    kill(quarantine, 4);
    expect(admit()).toBe('go');
    kill(quarantine, 1, 'out_of_memory');
    expect(admit()).toEqual({ retryAfterMs: 30_000 });
    expect(quarantine.refuses(DIGEST, TENANT)).toBe(true);
    wait(29_999);
    expect(admit()).toEqual({ retryAfterMs: 1 });
    wait(1);
    expect(quarantine.refuses(DIGEST, TENANT)).toBe(false);
    expect(quarantine.holds(DIGEST, TENANT)).toBe(true);
  });

  test('does not begin when the kills are spread over more than a minute, or for failures', () => {
    const { quarantine, admit, note, wait } = ward();
    for (let i = 0; i < 20; i += 1) {
      kill(quarantine, 1);
      wait(15_001);
    }
    for (let i = 0; i < 100; i += 1) note(i % 2 === 0 ? 'failed' : 'timed_out');
    expect(admit()).toBe('go');
  });

  test('does not begin when as many calls end soundly as have to be killed', () => {
    const { quarantine, admit, note } = ward();
    for (let i = 0; i < 100; i += 1) {
      kill(quarantine, 1);
      note(i % 2 === 0 ? 'succeeded' : 'failed');
    }
    expect(admit()).toBe('go');
  });

  test('begins for calls that time out and have to be killed', () => {
    const { admit, note } = ward();
    for (let i = 0; i < 5; i += 1) {
      note('timed_out');
      note('killed');
    }
    expect(admit()).toEqual({ retryAfterMs: 30_000 });
  });

  test('lets one probe through after the pause; a sound end lifts it, even a failure', () => {
    const { quarantine, admit, note, wait } = ward();
    kill(quarantine, 5);
    wait(30_000);
    expect(admit()).toBe('go');
    expect(admit()).toEqual({ retryAfterMs: 1000 });
    note('failed');
    expect(admit()).toBe('go');
    expect(admit()).toBe('go');
    expect(quarantine.holds(DIGEST, TENANT)).toBe(false);
  });

  test('a probe that is killed doubles the pause, up to ten minutes', () => {
    const { quarantine, admit, note, wait } = ward();
    kill(quarantine, 5);
    let pause = 30_000;
    for (let round = 0; round < 7; round += 1) {
      wait(pause);
      expect(admit()).toBe('go');
      note('crashed');
      pause = Math.min(pause * 2, 600_000);
      expect(admit()).toEqual({ retryAfterMs: pause });
    }
    expect(pause).toBe(600_000);
  });

  test.each(['timed_out', 'cancelled'] as const)(
    'a probe that %s says nothing until it is told how its thread ended',
    (outcome) => {
      const { quarantine, admit, note, wait } = ward();
      kill(quarantine, 5);
      wait(30_000);
      expect(admit()).toBe('go');
      note(outcome);
      expect(admit()).toEqual({ retryAfterMs: 1000 });
      wait(2000);
      expect(admit()).toBe('go');
      note(outcome);
      note('killed');
      expect(admit()).toEqual({ retryAfterMs: 60_000 });
    },
  );

  test('a probe whose end is never told is given up after a minute', () => {
    const { quarantine, admit, wait } = ward();
    kill(quarantine, 5);
    wait(30_000);
    expect(admit()).toBe('go');
    wait(60_000);
    expect(admit()).toBe('go');
  });

  test('kills of calls that were under way when it began do not make it longer', () => {
    const { quarantine, admit, wait } = ward();
    kill(quarantine, 5);
    wait(10_000);
    kill(quarantine, 10);
    expect(admit()).toEqual({ retryAfterMs: 20_000 });
  });

  test('is for one tenant and one digest', () => {
    const { quarantine } = ward();
    kill(quarantine, 5);
    expect(quarantine.admit(DIGEST, 'other')).toBe('go');
    expect(quarantine.admit('sha256-b', TENANT)).toBe('go');
  });
});

describe('a plugin that is killed again and again', () => {
  async function killed() {
    const { plugins, logs } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes());
    const digest = plugins.find(TENANT, 'email')?.digest as string;
    plugins.noteOutcome(digest, TENANT, 'succeeded');
    for (let i = 0; i < 5; i += 1) plugins.noteOutcome(digest, TENANT, 'crashed');
    return { plugins, digest, logs };
  }

  test('shows it in its state and health, for the tenant that it happened to', async () => {
    const { plugins, digest, logs } = await killed();
    expect(plugins.view(TENANT, 'email')).toMatchObject({
      state: 'quarantined',
      health: { calls: 6, succeeded: 1, crashed: 5 },
    });
    expect(plugins.findAction(TENANT, 'send')).toMatchObject({ action: { state: 'quarantined' } });
    expect(plugins.admit(digest, TENANT)).toMatchObject({ retryAfterMs: expect.any(Number) as number });
    expect(plugins.view('other', 'email')).toMatchObject({ state: 'enabled', health: { calls: 0 } });
    expect(logs.filter(({ msg }) => msg === 'plugin quarantined')).toHaveLength(1);
  });

  test('runs again when an admin enables it', async () => {
    const { plugins, digest } = await killed();
    expect((await plugins.setEnabled(CTX, { tenantId: TENANT, hostWide: true }, 'email', true)).state).toBe('enabled');
    expect(plugins.admit(digest, TENANT)).toBe('go');
  });
});
