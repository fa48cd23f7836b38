import type { Command } from '../command.ts';
import { usage } from '../failure.ts';
import { connectHost, HOST_OPTIONS, hostAddress } from '../host-client.ts';

/** `goflow-plugin publish`: installs a bundle on a host. */
export const publish: Command = {
  name: 'publish',
  summary: 'Install the connector in this folder, or a bundle file, on a host.',
  options: [
    ...HOST_OPTIONS,
    {
      flags: '--bundle <FILE>',
      description: 'publish this bundle file, with its signatures, instead of building the folder',
    },
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    { flags: '--json', description: "print the host's answer as JSON" },
  ],
  example: 'goflow-plugin publish --host http://127.0.0.1:8080 --bundle dist/my-connector-1.0.0.goflow.json',
  async run(args, io) {
    const address = hostAddress(args);
    if (address === null) throw usage('--host: say where the host is, or set GOFLOW_URL.');
    const { publish: publishTo } = await import('../publish.ts');
    const options = { file: args.optional('bundle'), entry: args.optional('entry'), json: args.flag('json') };
    await publishTo(connectHost(address), options, io);
  },
};
