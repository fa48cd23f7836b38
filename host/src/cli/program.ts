import { Command, CommanderError } from 'commander';
import { VERSION } from '../core/version.ts';
import { CommandFailure } from './failure.ts';
import { say } from './output.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addHostCommands } from './commands/host.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addPluginCommands } from './commands/plugins.ts';
import { addRunCommands } from './commands/runs.ts';
import { addTriggerCommand } from './commands/trigger.ts';
import { addWorkflowCommands } from './commands/workflows.ts';

/**
 * Runs the command line and gives its exit status: 0 done, 1 failed, 2 wrong usage.
 * @param args what stands behind the program's name
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command('goflow')
    .description("GoFlow: runs strangers' connectors safely, and fast.")
    .version(VERSION)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(text),
      writeErr: (text) => process.stderr.write(text),
    });
  addHostCommands(program);
  addPluginCommands(program);
  addWorkflowCommands(program);
  addTriggerCommand(program);
  addRunCommands(program);
  addKeyCommands(program);
  addBackupCommands(program);
  for (const command of allCommands(program)) command.exitOverride().showHelpAfterError('(see --help)');
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return 2;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommandFailure) {
      say(`goflow: ${error.message}`);
      return error.status;
    }
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((sub) => [sub, ...allCommands(sub)]);
}
