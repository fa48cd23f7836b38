import type { Command } from '../command.ts';
import { HOST_OPTIONS, hostAddress } from '../host-client.ts';

/** `goflow-plugin dev`: edit, and see it live. */
export const dev: Command = {
  name: 'dev',
  summary: 'Build after each change, install into a running host, and show what the connector does there.',
  options: [
    ...HOST_OPTIONS.map((option) =>
      option.flags.startsWith('--host')
        ? { ...option, description: 'where the host is (default: GOFLOW_URL; else one is started for this session)' }
        : option,
    ),
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    {
      flags: '--grant',
      description: 'grant the connector all that it asks for (always done on a host of this session)',
    },
    { flags: '--no-types', description: 'do not check types after each change' },
  ],
  example: 'goflow-plugin dev --host http://127.0.0.1:8080 --grant',
  async run(args, io) {
    const { withEngine } = await import('../sandbox.ts');
    await withEngine(async (engine) => {
      const { develop } = await import('../develop.ts');
      const options = {
        address: hostAddress(args),
        entry: args.optional('entry'),
        grant: args.flag('grant'),
        types: args.flag('types'),
      };
      await develop(engine, options, io);
    });
  },
};
