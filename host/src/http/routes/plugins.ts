import type { JsonObject, JsonValue, Permissions } from '@goflow/plugin-sdk/contract';
import { GoflowError, validationError } from '../../core/errors.ts';
import type { Problem } from '../../core/errors.ts';
import type { PluginAdmin, PluginView, RefusedView } from '../../plugin/types.ts';
import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { PAGE_QUERY, pageOf, pageReply, pageRequest } from '../paging.ts';
import { empty, json } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import type { HttpServices } from '../services.ts';
import { installView } from '../views.ts';
import { escapePointer, isObject, objectBody } from './input.ts';

const TAG = 'Plugins';
const PLUGIN_ANSWER = { 200: ['The plugin as it is now.', ref('Plugin')] } as const;

export const pluginRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/plugins',
    act: 'plugins:write',
    query: {},
    body: 'bundle',
    audit: {
      action: 'plugin.install',
      describe(_call, { name, version, digest }) {
        return { target: name as string, details: { version: version ?? null, digest: digest ?? null } };
      },
    },
    doc: {
      id: 'installPlugin',
      tag: TAG,
      summary: 'Install a bundle',
      description:
        'The body is a bundle file, at most 20 MiB, `application/json`. Refused as a whole or installed as a whole.',
      request: ref('Bundle'),
      answers: {
        200: ['These very bytes were installed before.', ref('Installed')],
        201: ['Installed.', ref('Installed')],
      },
      problems: [409, 507],
    },
    async handle({ plugins }, call) {
      if (call.bytes === undefined || call.bytes.length === 0)
        throw new GoflowError('BUNDLE_REFUSED', 'the body is empty; send a bundle file');
      const result = await plugins.install(call.ctx, adminOf(call), call.bytes);
      const view = installView(result);
      return result.created
        ? json(201, view, 'Location', `/api/plugins/${encodeURIComponent(result.manifest.name)}`)
        : json(200, view);
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/plugins',
    act: 'plugins:read',
    query: PAGE_QUERY,
    body: 'none',
    doc: {
      id: 'listPlugins',
      tag: TAG,
      summary: 'List plugins',
      description: 'Also the files of the plugins directory that were refused, with the reason.',
      answers: { 200: ['A page.', pageOfSchema(ref('Plugin'))] },
      problems: [],
    },
    handle({ plugins }, call) {
      return pageReply(
        pageOf(plugins.list(call.principal.tenantId), listKey, pageRequest(call.query, 'plugins')),
        'plugins',
        (plugin) => plugin,
      );
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/plugins/:name',
    act: 'plugins:read',
    query: {},
    body: 'none',
    doc: {
      id: 'getPlugin',
      tag: TAG,
      summary: 'Read a plugin',
      description: 'Versions, state, grants, health.',
      answers: { 200: ['The plugin.', ref('Plugin')] },
      problems: [404],
    },
    handle({ plugins }, call) {
      const name = nameOf(call);
      const view = plugins.view(call.principal.tenantId, name);
      if (view === null) throw new GoflowError('NOT_FOUND', `there is no plugin ${JSON.stringify(name.slice(0, 200))}`);
      return json(200, view);
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/plugins/:name',
    act: 'plugins:write',
    query: {},
    body: 'none',
    audit: { action: 'plugin.remove', describe: (call) => ({ target: nameOf(call) }) },
    doc: {
      id: 'removePlugin',
      tag: TAG,
      summary: 'Remove a plugin, all its versions',
      description: 'Runs in flight finish on the version that they began with.',
      answers: { 204: ['Removed.', null] },
      problems: [404, 409],
    },
    async handle({ plugins }, call) {
      await plugins.remove(call.ctx, adminOf(call), nameOf(call));
      return empty(204);
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/api/plugins/:name/grants',
    act: 'plugins:grant',
    query: {},
    body: 'json',
    audit: {
      action: 'plugin.grant',
      describe: (call, { version, grants }) => ({
        target: nameOf(call),
        details: { version: version ?? null, grants: grants ?? null },
      }),
    },
    doc: {
      id: 'grantPlugin',
      tag: TAG,
      summary: 'Say what a plugin may reach',
      description: 'A subset of what its manifest asks; replaces what was granted before.',
      request: ref('GrantBody'),
      answers: PLUGIN_ANSWER,
      problems: [404],
    },
    async handle({ plugins }, call) {
      const permissions = permissionsOf(objectBody(call.body, ['permissions'])['permissions']);
      return json(200, await plugins.grant(call.ctx, adminOf(call), nameOf(call), permissions));
    },
  }),
  change('enable', 'enablePlugin', 'Enable a plugin', (services, call) =>
    services.plugins.setEnabled(call.ctx, adminOf(call), nameOf(call), true),
  ),
  change('disable', 'disablePlugin', 'Disable a plugin', (services, call) =>
    services.plugins.setEnabled(call.ctx, adminOf(call), nameOf(call), false),
  ),
  change('rollback', 'rollbackPlugin', 'Return to the version before', (services, call) =>
    services.plugins.rollback(call.ctx, adminOf(call), nameOf(call)),
  ),
];

function change(
  verb: string,
  id: string,
  summary: string,
  act: (services: HttpServices, call: Call) => Promise<PluginView>,
): Route {
  return defineRoute({
    method: 'POST',
    path: `/api/plugins/:name/${verb}`,
    act: 'plugins:write',
    query: {},
    body: 'none',
    audit: {
      action: `plugin.${verb}`,
      describe: (call, { version }) => ({ target: nameOf(call), details: { version: version ?? null } }),
    },
    doc: { id, tag: TAG, summary, answers: PLUGIN_ANSWER, problems: [404, 409] },
    async handle(services, call): Promise<Reply> {
      return json(200, await act(services, call));
    },
  });
}

function nameOf(call: Call): string {
  return call.params['name'] as string;
}

function adminOf({ principal }: Call): PluginAdmin {
  return { tenantId: principal.tenantId, hostWide: principal.hostWide };
}

function listKey(plugin: PluginView | RefusedView): string {
  return `${plugin.name ?? ''} ${plugin.version ?? ''} ${'file' in plugin ? plugin.file : ''}`;
}

/** Checks the shape; whether the manifest asks for it, the plugins know. */
function permissionsOf(value: JsonValue | undefined): Permissions {
  const refuse = (pointer: string, keyword: string, message: string): Problem => ({
    pointer: `/permissions${pointer}`,
    keyword,
    message,
  });
  if (value === undefined)
    throw validationError(
      [refuse('', 'required', 'is needed: { "net": [], "connect": [], "storage": false }')],
      'the body',
    );
  if (!isObject(value)) throw validationError([refuse('', 'type', 'must be an object')], 'the body');
  const problems: Problem[] = [];
  for (const [key, member] of Object.entries(value)) {
    const at = `/${escapePointer(key.slice(0, 200))}`;
    if (key === 'storage') {
      if (typeof member !== 'boolean') problems.push(refuse(at, 'type', 'must be true or false'));
    } else if (key !== 'net' && key !== 'connect') {
      problems.push(refuse(at, 'additionalProperties', 'is no permission; there are "net", "connect", "storage"'));
    } else if (!Array.isArray(member) || !member.every((entry) => typeof entry === 'string')) {
      problems.push(refuse(at, 'type', 'must be a list of texts'));
    }
  }
  if (problems.length > 0) throw validationError(problems.slice(0, 20), 'the body');
  return value as JsonObject & Permissions;
}
