import type { Command } from '../command.ts';

/** `goflow-plugin run`: one call of an action in the production sandbox. */
export const run: Command = {
  name: 'run',
  summary: 'Run an action of the connector in this folder, in the production sandbox.',
  arguments: [{ name: 'ACTION', description: 'id of the action' }],
  options: [
    { flags: '--input <FILE|JSON>', description: 'input of the action: JSON, or a file that holds it (default: {})' },
    { flags: '--credential <FILE>', description: "JSON file with the credential's values" },
    { flags: '--bundle <FILE>', description: 'run this bundle file instead of building the folder' },
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    {
      flags: '--allow-private <HOST:PORT>',
      description: 'a private address that the action may reach, if its permissions name it',
      repeat: true,
    },
    { flags: '--json', description: 'print outcome, logs and duration as one JSON object' },
  ],
  example: `goflow-plugin run greet --input '{"name":"Ada"}'`,
  async run(args, io) {
    const { withEngine } = await import('../sandbox.ts');
    await withEngine(async (engine) => {
      const { runAction } = await import('../run-action.ts');
      const options = {
        action: args.text('ACTION'),
        input: args.optional('input'),
        credential: args.optional('credential'),
        bundle: args.optional('bundle'),
        entry: args.optional('entry'),
        allowPrivate: args.list('allowPrivate'),
        json: args.flag('json'),
      };
      await runAction(engine, options, io);
    });
  },
};
