import { type Bundle, type Manifest, serializeBundle, sha256 } from '@goflow/plugin-sdk/contract';

export interface BundleSpec {
  readonly name?: string;
  readonly version?: string;
  readonly actions?: Manifest['actions'];
  readonly permissions?: Manifest['permissions'];
  readonly credential?: Manifest['credential'];
  readonly limits?: Manifest['limits'];
  /** Makes two bundles of one name and version differ. */
  readonly note?: string;
  readonly code?: string;
}

/** A bundle file as `goflow-plugin build` would write it, with code that exports what the manifest says. */
export function bundleText(spec: BundleSpec = {}): string {
  const { name = 'email', version = '1.0.0', actions = { send: {} } } = spec;
  const code = spec.code ?? connectorCode(name, version, Object.keys(actions), spec.note);
  const manifest: Manifest = {
    name,
    version,
    sdk: '0.1.0',
    actions,
    ...(spec.permissions === undefined ? {} : { permissions: spec.permissions }),
    ...(spec.credential === undefined ? {} : { credential: spec.credential }),
    ...(spec.limits === undefined ? {} : { limits: spec.limits }),
    digests: { 'plugin.js': sha256(code) },
  };
  const bundle: Bundle = { format: 'goflow-bundle/1', manifest, files: { 'plugin.js': code }, signatures: [] };
  return serializeBundle(bundle);
}

export function bundleBytes(spec: BundleSpec = {}): Uint8Array {
  return new TextEncoder().encode(bundleText(spec));
}

function connectorCode(name: string, version: string, actions: readonly string[], note = ''): string {
  const members = actions.map((id) => `${JSON.stringify(id)}: { run() { return null; } }`).join(', ');
  return `/* ${note} */ exports.default = { name: ${JSON.stringify(name)}, version: ${JSON.stringify(version)}, actions: { ${members} } };`;
}
