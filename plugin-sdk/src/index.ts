/** What connector authors import. It is bundled into each connector: keep it tiny, and free of Node. */
export { ConnectorError, type ConnectorErrorOptions } from './connector-error.ts';
export type {
  ConnectorContext,
  ConnectorLog,
  ConnectorSocket,
  ConnectorStorage,
  SocketAddress,
  SocketOptions,
} from './contract/context.ts';
export type { JsonObject, JsonValue } from './contract/json.ts';
export type { Limits, Permissions } from './contract/manifest.ts';
export {
  type Action,
  type ActionDefinition,
  type ConnectorDefinition,
  type DefineAction,
  defineAction,
  defineActionFor,
  defineConnector,
} from './define.ts';
export type { Infer, Schema, SchemaType } from './schema.ts';
export type { AnySchema, InferGiven, InferParsed, StandardJsonSchema } from './standard-schema.ts';
