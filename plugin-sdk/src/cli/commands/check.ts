import type { Command } from '../command.ts';

/** `goflow-plugin check`: types, build, and advice on the manifest. */
export const check: Command = {
  name: 'check',
  summary: 'Check types, imports and the manifest, without writing anything.',
  options: [
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    { flags: '--json', description: 'print problems and advice as JSON' },
  ],
  example: 'goflow-plugin check',
  async run(args, io) {
    const { checkProject } = await import('../check-project.ts');
    await checkProject({ entry: args.optional('entry'), json: args.flag('json') }, io);
  },
};
