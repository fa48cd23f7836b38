import type { Command } from '../command.ts';

/** `goflow-plugin init`: a project to begin with. */
export const init: Command = {
  name: 'init',
  summary: 'Make a new connector project in a folder of its own.',
  arguments: [{ name: 'NAME', description: 'name of the connector, as "my-connector" or "@acme/my-connector"' }],
  options: [
    {
      flags: '--template <NAME>',
      description:
        'what to begin with: action (default), credential (a service with an API key), http-api (pages, waiting)',
    },
  ],
  example: 'goflow-plugin init my-connector --template http-api\ncd my-connector\ngoflow-plugin test',
  async run(args, io) {
    const { createProject } = await import('../create-project.ts');
    await createProject(args.text('NAME'), args.optional('template') ?? 'action', io);
  },
};
