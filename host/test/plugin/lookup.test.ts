import { describe, expect, test } from 'vitest';
import type { Plugins } from '../../src/plugin/types.ts';
import { bundleBytes } from './support/bundle.ts';
import { BOOTSTRAP, CTX, openHost } from './support/host.ts';

async function withPlugins(
  ...installed: ReadonlyArray<{ name: string; actions: readonly string[] }>
): Promise<Plugins> {
  const { plugins } = await openHost();
  for (const { name, actions } of installed) {
    const bytes = bundleBytes({ name, actions: Object.fromEntries(actions.map((id) => [id, {}])) });
    await plugins.install(CTX, BOOTSTRAP, bytes);
  }
  return plugins;
}

function reason(plugins: Plugins, reference: string): string {
  const found = plugins.findAction('default', reference);
  return found.found ? `found ${found.action.plugin.manifest.name}/${found.action.id}` : found.reason;
}

describe('an action is found', () => {
  test('by its name when one plugin has it, and by plugin and name always', async () => {
    const plugins = await withPlugins(
      { name: 'email', actions: ['send', 'verify'] },
      { name: 'smtp', actions: ['send'] },
    );
    expect(reason(plugins, 'verify')).toBe('found email/verify');
    expect(reason(plugins, 'smtp/send')).toBe('found smtp/send');
  });

  test('in a plugin with a scope', async () => {
    const plugins = await withPlugins({ name: '@acme/mail', actions: ['send'] });
    expect(reason(plugins, '@acme/mail/send')).toBe('found @acme/mail/send');
    expect(reason(plugins, 'send')).toBe('found @acme/mail/send');
    expect(reason(plugins, '@acme/mail')).toBe('"@acme/mail" is a plugin: name one of its actions, "@acme/mail/send"');
  });

  test('by its name when all but one of the plugins that have it are disabled', async () => {
    const plugins = await withPlugins({ name: 'email', actions: ['send'] }, { name: 'smtp', actions: ['send'] });
    await plugins.setEnabled(CTX, BOOTSTRAP, 'email', false);
    expect(reason(plugins, 'send')).toBe('found smtp/send');
    await plugins.setEnabled(CTX, BOOTSTRAP, 'smtp', false);
    expect(reason(plugins, 'send')).toContain('in several plugins');
  });
});

describe('an action that is not found', () => {
  test('because several plugins have it: they are listed', async () => {
    const plugins = await withPlugins({ name: 'smtp', actions: ['send'] }, { name: 'email', actions: ['send'] });
    expect(reason(plugins, 'send')).toBe('action "send" is in several plugins: write "email/send" or "smtp/send"');
  });

  test('because of a slip of the pen: what is close is named', async () => {
    const plugins = await withPlugins({ name: 'email', actions: ['send_email', 'verify'] });
    expect(reason(plugins, 'send_emial')).toBe(
      'no installed plugin has an action "send_emial"; did you mean "send_email"?',
    );
    expect(reason(plugins, 'emial/send_email')).toBe(
      'no plugin "emial" is installed; did you mean "email/send_email"?',
    );
  });

  test('because the plugin has no such action: what it has is listed', async () => {
    const plugins = await withPlugins({ name: 'email', actions: ['send', 'verify'] });
    expect(reason(plugins, 'email/post')).toBe('plugin "email" 1.0.0 has no action "post"; it has "send" and "verify"');
    expect(reason(plugins, 'email/constructor')).toContain('has no action "constructor"');
  });

  test('because nothing is like it: says where to look', async () => {
    const plugins = await withPlugins({ name: 'email', actions: ['send'] });
    for (const reference of ['pay', '', '/', 'a/', '/send', 'x'.repeat(100_000), '__proto__']) {
      expect(plugins.findAction('default', reference).found).toBe(false);
    }
    expect(reason(plugins, 'pay')).toBe(
      'no installed plugin has an action "pay"; see GET /api/actions for what there is, or install the plugin',
    );
  });
});
