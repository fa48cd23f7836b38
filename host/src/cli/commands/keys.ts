import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { Option, type Command } from 'commander';
import { ROLES } from '../../core/records.ts';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { printJson, printTable, say, text } from '../output.ts';

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('API keys');

  withConnection(
    keys.command('create').argument('<name>', 'what the key is for').description('make a key; it is shown once'),
  )
    .addOption(new Option('--role <ROLE>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--user <ID>', 'user that acts with it')
    .option('--expires <TIME>', 'when it ends: RFC 3339, or a duration such as 12h, 90d (default: never)')
    .addHelpText('after', '\nExample:\n  goflow keys create ci --role trigger --tenant acme --expires 90d')
    .action(async (name: string, flags: ConnectionFlags & { role: string; user?: string; expires?: string }) => {
      const tenant = flags.tenant ?? process.env['GOFLOW_TENANT'];
      const body = {
        name,
        role: flags.role,
        ...(tenant === undefined ? {} : { tenant_id: tenant }),
        ...(flags.user === undefined ? {} : { user_id: flags.user }),
        ...(flags.expires === undefined ? {} : { expires_at: expiryOf(flags.expires) }),
      };
      const made = (await connect(flags).request('/api/keys', { method: 'POST', body })) as JsonObject;
      if (flags.json === true) return printJson(made);
      say(
        `key ${text(made['id'])} (${text(made['role'])} of ${text(made['tenant_id'])}); this is the only time that it is shown:`,
      );
      process.stdout.write(`${text(made['key'])}\n`);
    });

  withConnection(keys.command('list').description('all keys of the tenant, without their secret'))
    .addHelpText('after', '\nExample:\n  goflow keys list --json')
    .action(async (flags: ConnectionFlags) => {
      const items = await connect(flags).list('/api/keys', 10_000);
      if (flags.json === true) printJson(items);
      else printTable(['id', 'name', 'role', 'tenant_id', 'user_id', 'created_at', 'expires_at'], items);
    });

  withConnection(keys.command('revoke').argument('<id>', 'id of the key').description('end a key; holds at once'))
    .addHelpText('after', '\nExample:\n  goflow keys revoke key_0199…')
    .action(async (id: string, flags: ConnectionFlags) => {
      await connect(flags).request(`/api/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
      say(`key ${id} revoked`);
    });
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as it is, a duration as the time after it. What is neither, the host refuses with the reason. */
function expiryOf(text: string): string {
  const match = /^(\d{1,6})([mhd])$/.exec(text);
  if (match === null) return text;
  return new Date(Date.now() + Number(match[1]) * (UNITS[match[2] as string] as number)).toISOString();
}
