import type { Command } from '../command.ts';
import { usage } from '../failure.ts';

/** `goflow-plugin verify`: who signed a bundle, and which sources it was built from. */
export const verify: Command = {
  name: 'verify',
  summary: 'Check that a bundle file is signed by a key, or is what its sources give.',
  arguments: [{ name: 'FILE', description: 'a .goflow.json file' }],
  options: [
    { flags: '--key <FILE>', description: 'public key (FILE.pub of goflow-plugin keygen)' },
    { flags: '--source <DIR>', description: "the connector's project, with its packages installed: it is built again" },
    { flags: '--entry <FILE>', description: 'entry file of the sources (default: src/index.ts)' },
  ],
  example: 'goflow-plugin verify dist/my-connector-1.0.0.goflow.json --key release.key.pub --source .',
  async run(args, io) {
    const [key, source] = [args.optional('key'), args.optional('source')];
    if (key === undefined && source === undefined)
      throw usage('Say what to check: --key FILE.pub, --source DIR, or both.');
    if (key !== undefined) {
      const { verifyBundleFile } = await import('../keys.ts');
      await verifyBundleFile(args.text('FILE'), key, io);
    }
    if (source !== undefined) {
      const { verifySource } = await import('../verify-source.ts');
      await verifySource(args.text('FILE'), source, args.optional('entry'), io);
    }
  },
};
