import type { Command } from 'commander';
import { createClient, type Client } from './client.ts';

export interface ConnectionFlags {
  readonly url?: string;
  readonly key?: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

/** Adds the options that every client command has. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <URL>', 'where the host is (default: GOFLOW_URL, else http://127.0.0.1:8080)')
    .option('--key <KEY>', 'API key (default: GOFLOW_KEY)')
    .option('--tenant <ID>', 'tenant to act in, for the bootstrap key (default: GOFLOW_TENANT)')
    .option('--json', 'print the data as JSON');
}

export function connect(flags: ConnectionFlags): Client {
  return createClient({
    url: flags.url ?? process.env['GOFLOW_URL'] ?? 'http://127.0.0.1:8080',
    key: flags.key ?? process.env['GOFLOW_KEY'],
    tenant: flags.tenant ?? process.env['GOFLOW_TENANT'],
  });
}
