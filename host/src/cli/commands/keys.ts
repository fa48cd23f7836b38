import type { JsonObject } from '@goflow/plugin-sdk/contract';
import type { Command } from 'commander';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { printJson, printTable, say, text } from '../output.ts';

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('API keys');

  withConnection(
    keys.command('create').argument('<name>', 'what the key is for').description('make a key; it is shown once'),
  )
    .requiredOption('--role ROLE', 'viewer, trigger, editor or admin')
    .option('--user ID', 'user that acts with it')
    .addHelpText('after', '\nExample:\n  goflow keys create ci --role trigger --tenant acme')
    .action(async (name: string, flags: ConnectionFlags & { role: string; user?: string }) => {
      const tenant = flags.tenant ?? process.env['GOFLOW_TENANT'];
      const body = {
        name,
        role: flags.role,
        ...(tenant === undefined ? {} : { tenant_id: tenant }),
        ...(flags.user === undefined ? {} : { user_id: flags.user }),
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
      else printTable(['id', 'name', 'role', 'tenant_id', 'user_id', 'created_at'], items);
    });

  withConnection(keys.command('revoke').argument('<id>', 'id of the key').description('end a key; holds at once'))
    .addHelpText('after', '\nExample:\n  goflow keys revoke key_0199…')
    .action(async (id: string, flags: ConnectionFlags) => {
      await connect(flags).request(`/api/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
      say(`key ${id} revoked`);
    });
}
