import type { Command } from '../command.ts';

/** `goflow-plugin check`: types, build, and advice on the manifest. */
export const check: Command = {
  name: 'check',
  summary: 'Check types, imports, globals, manifest and version, without writing anything.',
  options: [
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    {
      flags: '--against <OLD>',
      description: 'earlier bundle file: tell what breaks for its users, and which version that needs',
    },
    { flags: '--json', description: 'print problems and advice as JSON' },
  ],
  example: 'goflow-plugin check --against released/my-connector-1.0.0.goflow.json',
  async run(args, io) {
    const { checkProject } = await import('../check-project.ts');
    const options = { entry: args.optional('entry'), against: args.optional('against'), json: args.flag('json') };
    await checkProject(options, io);
  },
};
