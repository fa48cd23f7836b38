import { Command as CommanderCommand, CommanderError } from 'commander';
import { SDK_VERSION } from '../build/package-root.ts';
import { BuildError } from '../build/problem.ts';
import { toCommander } from './command.ts';
import { COMMANDS } from './commands.ts';
import { Failure, problems } from './failure.ts';
import { type Io, processIo } from './io.ts';

/** Runs a command line; gives the exit status: 0 done, 1 failed, 2 wrong usage. */
async function main(argv: readonly string[], io: Io): Promise<number> {
  const program = new CommanderCommand('goflow-plugin')
    .description('Write, build and try GoFlow connectors.')
    .version(SDK_VERSION)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeErr: (text) => io.say(text), writeOut: (text) => io.data(text) });
  program.addHelpText(
    'after',
    '\nExample:\n  goflow-plugin init my-connector && cd my-connector && goflow-plugin build\n',
  );
  for (const command of COMMANDS)
    program.addCommand(toCommander(command, io).copyInheritedSettings(program).exitOverride());

  if (argv.length === 0) {
    io.say(program.helpInformation());
    return 2;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const failure = error instanceof BuildError ? problems(error.problems) : error;
  if (failure instanceof Failure) {
    io.say(failure.message);
    return failure.status;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
    io.say(message);
    return 1;
  }
  // What is left is a fault of this program, which its stack helps to find.
  io.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}

// A reader that has seen enough (`| head`) closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2), processIo());
