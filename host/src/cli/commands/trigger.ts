import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Command } from 'commander';
import type { Client } from '../client.ts';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { CommandFailure } from '../failure.ts';
import { printJson, say, text } from '../output.ts';

export function addTriggerCommand(program: Command): void {
  withConnection(
    program.command('trigger').argument('<workflow>', 'id or name of the workflow').description('start a run'),
  )
    .option(
      '-p, --param <name=value>',
      'a parameter (repeatable); objects and arrays as JSON',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--wait <seconds>', 'wait so long for the end, at most 60')
    .addHelpText(
      'after',
      '\nExample:\n  goflow trigger send-welcome-email -p customer_name=Alex -p email=alex@example.com --wait 10',
    )
    .action(async (reference: string, flags: ConnectionFlags & { param: string[]; wait?: string }) => {
      if (flags.wait !== undefined && !(Number(flags.wait) >= 0 && Number(flags.wait) <= 60)) {
        throw new CommandFailure(`--wait: ${JSON.stringify(flags.wait)} is not a number of seconds from 0 to 60`, 2);
      }
      const client = connect(flags);
      const workflow = await findWorkflow(client, reference);
      const parameters = readParameters(
        flags.param,
        (workflow['parameters'] as readonly JsonObject[] | undefined) ?? [],
      );
      const query = flags.wait === undefined ? '' : `?wait=${flags.wait}`;
      const answer = (await client.request(
        `/api/workflows/${encodeURIComponent(text(workflow['id']))}/trigger${query}`,
        {
          method: 'POST',
          body: { parameters },
          timeoutMs: (Number(flags.wait ?? 0) + 30) * 1000,
        },
      )) as JsonObject;
      if (flags.json === true) printJson(answer);
      else if (answer['run_id'] !== undefined)
        say(
          `run ${text(answer['run_id'])} is ${text(answer['status'])}; follow it with: goflow runs logs ${text(answer['run_id'])} --follow`,
        );
      else {
        say(`run ${text(answer['id'])} ${text(answer['status'])} after ${text(answer['duration_ms'])} ms`);
        printJson((answer['error'] ?? answer['output']) as JsonValue);
      }
      if (['failed', 'timed_out', 'cancelled'].includes(text(answer['status']))) process.exitCode = 1;
    });
}

async function findWorkflow(client: Client, reference: string): Promise<JsonObject> {
  const all = await client.list('/api/workflows', 10_000);
  const byId = all.find((workflow) => workflow['id'] === reference);
  if (byId !== undefined) return byId;
  const named = all.filter((workflow) => workflow['name'] === reference);
  if (named.length === 1) return named[0] as JsonObject;
  if (named.length > 1)
    throw new CommandFailure(
      `${named.length} workflows are named "${reference}"; use an id: ${named.map((workflow) => text(workflow['id'])).join(', ')}`,
    );
  throw new CommandFailure(`there is no workflow with the id or name "${reference}"; see: goflow workflows list`);
}

/** `name=value` pairs as values of the declared types. What has no declaration goes as text; the host says what is wrong with it. */
function readParameters(pairs: readonly string[], declarations: readonly JsonObject[]): JsonObject {
  const values: [string, JsonValue][] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new CommandFailure(`-p ${JSON.stringify(pair)}: write name=value`, 2);
    const name = pair.slice(0, equals);
    const declaration = declarations.find((one) => one['name'] === name);
    values.push([name, readValue(name, pair.slice(equals + 1), text(declaration?.['type'] ?? 'string'))]);
  }
  return Object.fromEntries(values);
}

function readValue(name: string, text: string, type: string): JsonValue {
  if (type === 'string') return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new CommandFailure(
      `-p ${name}: ${JSON.stringify(text)} is not ${type === 'integer' ? 'an integer' : `a JSON ${type}`}`,
      2,
    );
  }
}
