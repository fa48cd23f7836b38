import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Command } from 'commander';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { CommandFailure } from '../failure.ts';
import { printJson, printTable, say, text } from '../output.ts';
import { checkBundle, fetchNpmBundle } from '../npm-bundle.ts';
import { readText } from '../read-file.ts';

const at = (name: string, rest = '') => `/api/plugins/${encodeURIComponent(name)}${rest}`;

export function addPluginCommands(program: Command): void {
  const plugins = program.command('plugins').description('connectors that are installed on the host');

  withConnection(plugins.command('list').description('every plugin, its version and state'))
    .addHelpText('after', '\nExample:\n  goflow plugins list')
    .action(async (flags: ConnectionFlags) => {
      const items = await connect(flags).list('/api/plugins', 10_000);
      if (flags.json === true) printJson(items);
      else printTable(['name', 'version', 'state', 'reason'], items);
    });

  withConnection(
    plugins
      .command('install')
      .argument('<file>', 'bundle file (.goflow.json), or npm:NAME@VERSION for the one in an npm package')
      .description('upload a bundle; shows what it asks for'),
  )
    .option('--digest <digest>', 'the digest that the bundle has to have')
    .option('--signed-by <file>', 'public key file (FILE.pub) by which it has to be signed')
    .option('--registry <url>', 'npm registry (default: npm_config_registry, else https://registry.npmjs.org)')
    .addHelpText(
      'after',
      '\nExamples:\n  goflow plugins install dist/custom-api-1.0.0.goflow.json\n  goflow plugins install npm:@acme/goflow-crm@1.0.0 --signed-by acme.key.pub',
    )
    .action(async (file: string, flags: InstallFlags) => {
      const made = (await connect(flags).request('/api/plugins', {
        method: 'POST',
        body: await bundleText(file, flags),
        timeoutMs: 60_000,
      })) as JsonObject;
      if (flags.json === true) return printJson(made);
      const manifest = made['manifest'] as JsonObject;
      say(`${text(manifest['name'])} ${text(manifest['version'])} is installed, digest ${text(made['digest'])}`);
      const asked = made['permissions_to_grant'] as JsonObject;
      if (isEmpty(asked)) return;
      say(`It waits for a grant of:\n${describePermissions(asked)}`);
      say(`Grant all of it with: goflow plugins grant ${text(manifest['name'])} --all`);
    });

  withConnection(
    plugins.command('grant').argument('<name>').description('allow a plugin what it asks for, or a part of it'),
  )
    .option('--all', 'everything that its manifest asks for')
    .option('--net <entry>', 'a host that ctx.fetch may reach (repeatable)', collect, [])
    .option('--connect <entry>', 'a host:port that ctx.connect may reach (repeatable)', collect, [])
    .option('--storage', 'ctx.storage')
    .addHelpText('after', '\nExample:\n  goflow plugins grant custom-api --net api.example.com')
    .action(
      async (
        name: string,
        flags: ConnectionFlags & { all?: boolean; net: string[]; connect: string[]; storage?: boolean },
      ) => {
        const chosen = flags.net.length > 0 || flags.connect.length > 0 || flags.storage === true;
        if ((flags.all === true) === chosen)
          throw new CommandFailure('name what to grant: --all, or any of --net, --connect and --storage', 2);
        const client = connect(flags);
        const permissions: JsonValue =
          flags.all === true
            ? (((await client.request(at(name))) as JsonObject)['permissions'] as JsonObject)
            : {
                ...(flags.net.length > 0 ? { net: flags.net } : {}),
                ...(flags.connect.length > 0 ? { connect: flags.connect } : {}),
                ...(flags.storage === true ? { storage: true } : {}),
              };
        const view = (await client.request(at(name, '/grants'), {
          method: 'PUT',
          body: { permissions },
        })) as JsonObject;
        if (flags.json === true) printJson(view);
        else say(`${name} is ${text(view['state'])}; granted:\n${describePermissions(view['grants'] as JsonObject)}`);
      },
    );

  for (const [verb, description] of [
    ['enable', 'take a plugin into use again; lifts a quarantine'],
    ['disable', 'refuse new runs of a plugin'],
    ['rollback', 'go back to the version before'],
  ] as const) {
    withConnection(plugins.command(verb).argument('<name>').description(description))
      .addHelpText('after', `\nExample:\n  goflow plugins ${verb} custom-api`)
      .action(async (name: string, flags: ConnectionFlags) => {
        const view = (await connect(flags).request(at(name, `/${verb}`), { method: 'POST' })) as JsonObject;
        if (flags.json === true) printJson(view);
        else say(`${name} ${text(view['version'])} is ${text(view['state'])}`);
      });
  }

  withConnection(plugins.command('remove').argument('<name>').description('uninstall an uploaded plugin'))
    .addHelpText('after', '\nExample:\n  goflow plugins remove custom-api')
    .action(async (name: string, flags: ConnectionFlags) => {
      await connect(flags).request(at(name), { method: 'DELETE' });
      say(`${name} removed`);
    });
}

interface InstallFlags extends ConnectionFlags {
  readonly digest?: string;
  readonly signedBy?: string;
  readonly registry?: string;
}

async function bundleText(file: string, flags: InstallFlags): Promise<string> {
  const { digest, signedBy } = flags;
  if (file.startsWith('npm:')) {
    const registry = flags.registry ?? process.env['npm_config_registry'] ?? 'https://registry.npmjs.org';
    return await fetchNpmBundle(file, { registry, digest, signedBy });
  }
  const text = await readText(file);
  if (digest !== undefined || signedBy !== undefined) await checkBundle(file, text, { digest, signedBy });
  return text;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function isEmpty(permissions: JsonObject): boolean {
  return Object.values(permissions).every(
    (value) => value === undefined || value === false || (Array.isArray(value) && value.length === 0),
  );
}

function describePermissions(permissions: JsonObject): string {
  const lines: string[] = [];
  for (const entry of (permissions['net'] as readonly string[] | undefined) ?? [])
    lines.push(`  send requests to ${entry}`);
  for (const entry of (permissions['connect'] as readonly string[] | undefined) ?? [])
    lines.push(`  open connections to ${entry}`);
  if (permissions['storage'] === true) lines.push('  keep values in its storage');
  return lines.length === 0 ? '  nothing' : lines.join('\n');
}
