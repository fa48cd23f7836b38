import { Command as CommanderCommand } from 'commander';
import type { Io } from './io.ts';

/** A command: what it takes, as data, and what it does. The function imports its work lazily, so that `--help` stays fast. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: ReadonlyArray<{ readonly name: string; readonly description: string }>;
  readonly options?: readonly CommandOption[];
  /** Shown under `--help`. */
  readonly example: string;
  run(args: Arguments, io: Io): Promise<void>;
}

export interface CommandOption {
  /** As `--out <DIR>`; without `<…>` a switch. */
  readonly flags: string;
  readonly description: string;
  readonly required?: boolean;
  /** May be given several times; its value is the list. */
  readonly repeat?: boolean;
}

/** What was given on the command line, arguments and options by their names. */
export interface Arguments {
  text(name: string): string;
  optional(name: string): string | undefined;
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

/** Turns a command into commander's form; `io` is where it speaks. */
export function toCommander(command: Command, io: Io): CommanderCommand {
  const made = new CommanderCommand(command.name).description(command.summary).summary(command.summary);
  for (const argument of command.arguments ?? []) made.argument(`<${argument.name}>`, argument.description);
  for (const option of command.options ?? []) {
    const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
      ...(before ?? []),
      value,
    ];
    if (option.required === true) made.requiredOption(option.flags, option.description);
    else if (option.repeat === true) made.option(option.flags, option.description, collect);
    else made.option(option.flags, option.description);
  }
  made.addHelpText('after', `\nExample:\n${command.example.replaceAll(/^/gm, '  ')}\n`);
  made.action(async () => {
    const named = (command.arguments ?? []).map((argument, index) => [argument.name, made.args[index]] as const);
    await command.run(readArguments({ ...made.opts(), ...Object.fromEntries(named) }), io);
  });
  return made;
}

function readArguments(values: Readonly<Record<string, unknown>>): Arguments {
  const optional = (name: string): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
  return {
    optional,
    text: (name) => optional(name) ?? '',
    list: (name) => (Array.isArray(values[name]) ? (values[name] as string[]) : []),
    flag: (name) => values[name] === true,
  };
}
