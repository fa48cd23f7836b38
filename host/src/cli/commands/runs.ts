import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { Option, type Command } from 'commander';
import { RUN_STATUSES } from '../../core/records.ts';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { CommandFailure } from '../failure.ts';
import { printJson, printTable, say, text } from '../output.ts';

const at = (id: string, rest = '') => `/api/runs/${encodeURIComponent(id)}${rest}`;

export function addRunCommands(program: Command): void {
  const runs = program.command('runs').description('runs of workflows');

  withConnection(runs.command('list').description('runs, newest first'))
    .addOption(new Option('--status <status>', 'in this state only').choices(RUN_STATUSES))
    .option('--workflow <id>', 'of one workflow')
    .option('--limit <n>', 'how many', '50')
    .addHelpText('after', '\nExample:\n  goflow runs list --status failed')
    .action(async (flags: ConnectionFlags & { status?: string; workflow?: string; limit: string }) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1)
        throw new CommandFailure(`--limit: ${JSON.stringify(flags.limit)} is not a number from 1`, 2);
      const query = new URLSearchParams();
      if (flags.status !== undefined) query.set('status', flags.status);
      if (flags.workflow !== undefined) query.set('workflow_id', flags.workflow);
      const items = await connect(flags).list(`/api/runs?${query.toString()}`, limit);
      if (flags.json === true) printJson(items);
      else printTable(['id', 'workflow_id', 'status', 'duration_ms', 'created_at'], items);
    });

  withConnection(runs.command('get').argument('<id>').description('one run, as JSON'))
    .addHelpText('after', '\nExample:\n  goflow runs get run_0199…')
    .action(async (id: string, flags: ConnectionFlags) => printJson(await connect(flags).request(at(id))));

  withConnection(runs.command('logs').argument('<id>').description('log lines of a run'))
    .option('-f, --follow', 'go on until the run ends')
    .addHelpText('after', '\nExample:\n  goflow runs logs run_0199… --follow')
    .action(async (id: string, flags: ConnectionFlags & { follow?: boolean }) => {
      const client = connect(flags);
      if (flags.follow === true) {
        for await (const { event, data } of client.events(at(id, '/events'))) {
          if (event === 'log') printLine(data as JsonObject, flags);
          else if (event === 'state') say(`run ${id} is ${text((data as JsonObject)['status'])}`);
        }
        return;
      }
      for (const line of await client.list(at(id, '/logs'), 10_000)) printLine(line, flags);
    });

  withConnection(runs.command('cancel').argument('<id>').description('end a run that has not ended'))
    .addHelpText('after', '\nExample:\n  goflow runs cancel run_0199…')
    .action(async (id: string, flags: ConnectionFlags) => {
      const run = (await connect(flags).request(at(id, '/cancel'), { method: 'POST' })) as JsonObject;
      if (flags.json === true) printJson(run);
      else say(`run ${id} is ${text(run['status'] ?? 'cancelled')}`);
    });

  withConnection(runs.command('replay').argument('<id>').description('a new run with the same version and parameters'))
    .addHelpText('after', '\nExample:\n  goflow runs replay run_0199…')
    .action(async (id: string, flags: ConnectionFlags) => {
      const run = (await connect(flags).request(at(id, '/replay'), { method: 'POST' })) as JsonObject;
      if (flags.json === true) printJson(run);
      else say(`run ${text(run['run_id'])} is ${text(run['status'])}`);
    });
}

function printLine(line: JsonObject, flags: ConnectionFlags): void {
  if (flags.json === true) process.stdout.write(`${JSON.stringify(line)}\n`);
  else {
    const fields = line['fields'] === null || line['fields'] === undefined ? '' : ` ${JSON.stringify(line['fields'])}`;
    process.stdout.write(`${text(line['timestamp'])} ${text(line['level']).padEnd(5)} ${text(line['msg'])}${fields}\n`);
  }
}
