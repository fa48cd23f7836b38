import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Act } from '../auth/permissions.ts';
import type { Principal } from '../auth/principal.ts';
import type { Context } from '../core/context.ts';
import type { Query, QuerySpec } from './query.ts';
import type { Reply } from './reply.ts';
import type { HttpServices } from './services.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * What a route reads: `none`: nothing, what is sent is ignored; `json`: a JSON value, which must be there; `json-or-empty`: nothing counts as
 * `{}`; `bundle`: the bytes of a plugin bundle, `application/json` only.
 */
export type BodyKind = 'none' | 'json' | 'json-or-empty' | 'bundle';

/** A route as data: the router, the role check, the query check, the OpenAPI document and docs/API.md all come from it. */
export interface Route {
  readonly method: Method;
  /** Segments; one that begins with a colon is a parameter: `/api/runs/:id`. */
  readonly path: string;
  /** What the route does, for the role check; `public`: no key is asked for. */
  readonly act: Act | 'public';
  /** Query parameters that the route knows; others are refused. `any`: they are the caller's own (webhooks) or do not matter (pages). */
  readonly query: QuerySpec | 'any';
  readonly body: BodyKind;
  /** Open mode's check of `Host` and `Origin` does not apply: probes come by address. */
  readonly anyHost?: boolean;
  /** Concerns every tenant: for the bootstrap key and open mode alone. */
  readonly hostWide?: boolean;
  readonly doc: RouteDoc;
  /** The route is an administrative act: each call of it is recorded in the audit trail. */
  readonly audit?: Audit;
  readonly handle: (services: HttpServices, call: Call) => Reply | Promise<Reply>;
}

export interface Audit {
  /** `noun.verb`. */
  readonly action: string;
  /** What to record of a call that went well, of its answer. No secrets. */
  describe(call: Call, answer: JsonObject, reply: Reply): AuditedAct;
}

export interface AuditedAct {
  readonly target: string | null;
  readonly details?: JsonObject;
  /** In place of the route's, where it depends on the answer. */
  readonly action?: string;
  /** In place of the caller's: whom the act concerns. */
  readonly tenantId?: string;
}

/** The OpenAPI part of a route. */
export interface RouteDoc {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Schema of the request body. */
  readonly request?: JsonObject;
  /** Status → description and schema (null: no JSON body) of the good answers. */
  readonly answers: Readonly<
    Record<number, readonly [description: string, schema: JsonObject | null, contentType?: string]>
  >;
  /** Statuses of the problems that it can answer, besides those that every route has. */
  readonly problems: readonly number[];
  /** Request headers that mean something to this route. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that was let in: authenticated, allowed, its query and body well formed. */
export interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly ctx: Context;
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly search: string;
  /** Undefined for the body kinds `none` and `bundle`. */
  readonly body: JsonValue | undefined;
  /** The body as it was sent: what a signature is of. */
  readonly bytes: Uint8Array | undefined;
  /** Names the workflow or run in the access log. */
  about(names: { readonly workflowId?: string; readonly runId?: string }): void;
  /** Fires when the server begins to close: streams without an end of their own end then. */
  readonly closing: AbortSignal;
  /** The headers of every answer and the given ones, for a route that writes its answer itself; flat. */
  headers(extra: readonly string[]): string[];
  /** A signal that fires when the client is gone before its answer; made when first asked for. */
  clientGone(): AbortSignal;
}

export function defineRoute(route: Route): Route {
  return route;
}
