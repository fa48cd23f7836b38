import type { BuiltConnector } from '../build/build-connector.ts';
import { buildConnector } from '../build/build-connector.ts';
import { describeIn } from '../build/describe-in.ts';
import { type Permissions, serializeBundle } from '../contract/index.ts';
import type { HostClient } from './host-client.ts';
import { readBundleFile } from './inspect-bundle.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';
import { withEngine } from './sandbox.ts';

/** What a host says of a bundle that it took. */
export interface Published {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly state: string;
  readonly permissions_to_grant: Permissions;
  /** `false`: these very bytes were there before. */
  readonly created: boolean;
}

/** Uploads a bundle's text. */
export async function upload(host: HostClient, text: string): Promise<Published> {
  const { status, body } = await host.request('POST', '/api/plugins', text);
  return { ...(body as unknown as Omit<Published, 'created'>), created: status === 201 };
}

export interface PublishArguments {
  /** A bundle file; undefined: the connector in this folder is built. */
  readonly file: string | undefined;
  readonly entry: string | undefined;
  readonly json: boolean;
}

/** Installs a bundle on a host. Signatures that the file has go with it. */
export async function publish(host: HostClient, options: PublishArguments, io: Io): Promise<void> {
  const done = io.progress('publishing');
  try {
    const text =
      options.file === undefined
        ? (await buildHere(options.entry)).text
        : serializeBundle((await readBundleFile(options.file)).bundle);
    const published = await upload(host, text);
    done();
    if (options.json) io.data(JSON.stringify(published));
    else tell(published, host.url, io);
  } finally {
    done();
  }
}

async function buildHere(entry: string | undefined): Promise<BuiltConnector> {
  return withEngine((engine) =>
    buildConnector({
      dir: projectDir(),
      ...(entry !== undefined && { entry }),
      describe: describeIn(engine),
    }),
  );
}

function tell(published: Published, url: string, io: Io): void {
  const { name, version, digest, state, permissions_to_grant, created } = published;
  io.say(`${name} ${version} ${created ? 'is installed' : 'was there already'} on ${url}: ${state}\n  ${digest}`);
  const asked = describePermissions(permissions_to_grant);
  if (asked !== '') io.say(`It waits for a grant of:\n${asked}\nGrant it with: goflow plugins grant ${name} --all`);
}

/** One line for each thing that is asked for; empty: nothing. */
export function describePermissions({ net = [], connect = [], storage = false }: Permissions): string {
  const lines = [
    ...net.map((entry) => `  send requests to ${entry}`),
    ...connect.map((entry) => `  open connections to ${entry}`),
    ...(storage ? ['  keep values in its storage'] : []),
  ];
  return lines.join('\n');
}
