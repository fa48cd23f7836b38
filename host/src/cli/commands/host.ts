import type { Command } from 'commander';
import { ConfigError, flagOf, readConfig, VARIABLES, type HostConfig } from '../../core/config.ts';
import { CommandFailure } from '../failure.ts';

type Flags = Readonly<Record<string, string | undefined>>;

/** Commands that run on the host's own machine. What they need is loaded only when they run. */
export function addHostCommands(program: Command): void {
  withConfiguration(program.command('start').description('run the host'))
    .addHelpText('after', '\nExample:\n  GOFLOW_ADMIN_KEY=… goflow start --port 8080 --data-dir /var/lib/goflow')
    .action(async (_flags: object, command: Command) => {
      const config = configOf(command);
      const { runHost } = await import('../../main/run-host.ts');
      process.exitCode = await runHost(config);
    });

  withConfiguration(
    program.command('dev').description('run the host with the example workflows and a local mail inbox'),
  )
    .addHelpText('after', '\nExample:\n  goflow dev --port 0')
    .action(async (_flags: object, command: Command) => {
      const config = configOf(command);
      const { runDev } = await import('../../dev/run-dev.ts');
      process.exitCode = await runDev(config);
    });

  withConfiguration(
    program.command('doctor').description('check that a host can run here, and say what to do where it cannot'),
  )
    .option('--json', 'print the checks as JSON')
    .addHelpText('after', '\nExample:\n  goflow doctor')
    .action(async (flags: { json?: boolean }, command: Command) => {
      const config = configOf(command);
      const { runDoctor } = await import('../doctor.ts');
      process.exitCode = await runDoctor(config, flags.json === true);
    });

  const secrets = program.command('secrets').description('what is encrypted at rest');
  secrets
    .command('rotate')
    .description('change the master key of a stopped host: wraps the data keys of all tenants with a new one')
    .option('--data-dir <value>', 'the data directory (GOFLOW_DATA_DIR, default ./.goflow)')
    .option('--new-key-file <file>', 'file with the new key, base64 of 32 bytes; made where it does not exist')
    .addHelpText(
      'after',
      '\nWithout GOFLOW_MASTER_KEY the new key takes the place of the key file in the data directory.\n\nExample:\n  goflow secrets rotate --data-dir /var/lib/goflow',
    )
    .action(async (flags: { newKeyFile?: string }, command: Command) => {
      const config = configOf(command);
      const { rotateSecrets } = await import('../rotate-secrets.ts');
      await rotateSecrets(config, flags.newKeyFile);
    });
}

function withConfiguration(command: Command): Command {
  for (const variable of VARIABLES) {
    const fallback =
      variable.fallback === undefined || variable.fallback === '' ? '' : `, default ${variable.fallback}`;
    command.option(`--${flagOf(variable.name)} <value>`, `${variable.meaning} (${variable.name}${fallback})`);
  }
  return command;
}

function configOf(command: Command): HostConfig {
  const flags: Record<string, string | undefined> = {};
  for (const variable of VARIABLES) {
    const flag = flagOf(variable.name);
    const value: unknown = command.getOptionValue(
      flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    if (typeof value === 'string') flags[flag] = value;
  }
  try {
    return readConfig(process.env, flags satisfies Flags);
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(error.message, 2);
    throw error;
  }
}
