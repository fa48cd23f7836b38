import type { JsonObject } from './json.ts';

/** A JSON Schema 2020-12 document. */
export type JsonSchema = JsonObject | boolean;

export const PLUGIN_NAME = /^(@[a-z0-9-]+\/)?[a-z0-9][a-z0-9-]{0,63}$/;
export const ACTION_ID = /^[a-z][a-z0-9_]{0,63}$/;

/** What a bundle asks for; nothing is allowed that is not listed here and granted. */
export interface Permissions {
  /** `host` (https on 443) or `host:port`, `*.example.com` for names below it; `{{credential.host}}` for a stored value. */
  readonly net?: readonly string[];
  /** `host:port` that `ctx.connect` may reach. */
  readonly connect?: readonly string[];
  /** Whether `ctx.storage` may be used. */
  readonly storage?: boolean;
}

export interface Limits {
  /** Heap plus buffers of one worker, in MiB. */
  readonly memory_mb: number;
  /** Calls that one worker handles at once. */
  readonly concurrency: number;
  /** Longest call of an action that says nothing itself, in milliseconds. */
  readonly timeout_ms: number;
}

export interface ActionManifest {
  readonly title?: string;
  readonly description?: string;
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
  /** Longest call, in milliseconds. */
  readonly timeout_ms?: number;
  /** `false`: an attempt that was cut off is not run again. Default `true`. */
  readonly idempotent?: boolean;
}

/** What can be known of a bundle without running it. Format: docs/ARCHITECTURE.md, "A bundle". */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly author?: string;
  readonly license?: string;
  /** Version of the SDK that built it. */
  readonly sdk: string;
  readonly actions: Readonly<Record<string, ActionManifest>>;
  /** JSON Schema of the credential's values; secret ones say `"writeOnly": true`. */
  readonly credential?: JsonObject;
  /** Whether secrets reach the connector as opaque placeholders (default) or as values. */
  readonly secrets?: 'placeholder' | 'value';
  readonly permissions?: Permissions;
  readonly limits?: Partial<Limits>;
  /** `sha256-<base64>` of files of the bundle; `plugin.js` always has one. */
  readonly digests: Readonly<Record<string, string>>;
}

export const BUNDLE_FORMAT = 'goflow-bundle/1';

export const BUNDLE_FILES = ['plugin.js', 'plugin.js.map', 'README.md', 'LICENSE', 'icon.svg', 'sbom.json'] as const;
export type BundleFileName = (typeof BUNDLE_FILES)[number];

export interface Bundle {
  readonly format: typeof BUNDLE_FORMAT;
  readonly manifest: Manifest;
  readonly files: Readonly<Partial<Record<BundleFileName, string>>> & { readonly 'plugin.js': string };
  readonly signatures: readonly JsonObject[];
}
