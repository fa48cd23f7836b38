import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Command } from 'commander';
import type { Client } from '../client.ts';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { CommandFailure } from '../failure.ts';
import { printJson, printTable, say, text } from '../output.ts';
import { readJson } from '../read-file.ts';

const at = (id: string) => `/api/workflows/${encodeURIComponent(id)}`;

export function addWorkflowCommands(program: Command): void {
  const workflows = program.command('workflows').description('workflow definitions');

  withConnection(
    workflows
      .command('apply')
      .argument('<file>', 'JSON file with a workflow, or a list of them')
      .description('create or update; found by "id", else by "name"'),
  )
    .addHelpText('after', '\nExample:\n  goflow workflows apply examples/welcome-email/workflow.json')
    .action(async (file: string, flags: ConnectionFlags) => {
      const applied = await applyAll(connect(flags), asList(await readJson(file), file), file);
      if (flags.json === true) printJson(applied.map(({ workflow }) => workflow));
      else
        for (const { workflow, created } of applied)
          say(
            `${text(workflow['id'])} "${text(workflow['name'])}" ${created ? 'created' : 'updated'}, version ${text(workflow['version'])}`,
          );
    });

  withConnection(workflows.command('list').description('all workflows of the tenant'))
    .addHelpText('after', '\nExample:\n  goflow workflows list')
    .action(async (flags: ConnectionFlags) => {
      const items = await connect(flags).list('/api/workflows', 10_000);
      if (flags.json === true) printJson(items);
      else printTable(['id', 'name', 'version', 'is_active', 'updated_at'], items);
    });

  withConnection(workflows.command('get').argument('<id>').description('one workflow, as JSON'))
    .addHelpText('after', '\nExample:\n  goflow workflows get send-welcome-email')
    .action(async (id: string, flags: ConnectionFlags) => printJson(await connect(flags).request(at(id))));

  withConnection(workflows.command('delete').argument('<id>').description('delete a workflow; its runs stay'))
    .addHelpText('after', '\nExample:\n  goflow workflows delete send-welcome-email')
    .action(async (id: string, flags: ConnectionFlags) => {
      await connect(flags).request(at(id), { method: 'DELETE' });
      say(`${id} deleted`);
    });

  withConnection(
    program
      .command('import')
      .argument('<file>', "JSON file of workflows, in today's shape or the original's")
      .description('take over workflows from another GoFlow'),
  )
    .addHelpText('after', '\nExample:\n  goflow import workflows.json')
    .action(async (file: string, flags: ConnectionFlags) => {
      const content = await readJson(file);
      const list = isObject(content) && Array.isArray(content['workflows']) ? content['workflows'] : content;
      const applied = await applyAll(connect(flags), asList(list as JsonValue, file), file);
      if (flags.json === true) printJson(applied.map(({ workflow }) => workflow));
      else say(`${applied.length} workflows imported`);
    });
}

interface Applied {
  readonly workflow: JsonObject;
  readonly created: boolean;
}

async function applyAll(client: Client, bodies: readonly JsonObject[], file: string): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  const known = await client.list('/api/workflows', 10_000);
  for (const [index, body] of bodies.entries()) {
    try {
      applied.push(await applyOne(client, body, known));
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const which =
        bodies.length > 1 ? ` (workflow ${index + 1} of ${bodies.length}; those before it are applied)` : '';
      throw new CommandFailure(`${file}${which}: ${error.message}`, error.status);
    }
  }
  return applied;
}

async function applyOne(client: Client, body: JsonObject, known: readonly JsonObject[]): Promise<Applied> {
  const { id: ownId, ...given } = body;
  const fields = withoutServerFields(given);
  const named = known.filter((workflow) => workflow['name'] === fields['name']);
  if (ownId === undefined && named.length > 1) {
    throw new CommandFailure(`${named.length} workflows are named "${text(fields['name'])}"; say which one with "id"`);
  }
  const id = typeof ownId === 'string' ? ownId : (named[0]?.['id'] as string | undefined);
  if (id === undefined)
    return {
      workflow: (await client.request('/api/workflows', { method: 'POST', body: fields })) as JsonObject,
      created: true,
    };
  const created = !known.some((workflow) => workflow['id'] === id);
  return { workflow: (await client.request(at(id), { method: 'PUT', body: fields })) as JsonObject, created };
}

/** So that what `get` prints can be applied again. */
function withoutServerFields(body: JsonObject): JsonObject {
  const { version: _version, tenant_id: _tenant, created_at: _created, updated_at: _updated, ...fields } = body;
  return fields;
}

function asList(content: JsonValue, file: string): readonly JsonObject[] {
  const list: readonly JsonValue[] = Array.isArray(content) ? (content as readonly JsonValue[]) : [content];
  for (const [index, item] of list.entries()) {
    if (!isObject(item)) throw new CommandFailure(`${file}: item ${index + 1} is not a workflow object`);
  }
  return list as readonly JsonObject[];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
