/** The runtime: engine processes, their sandboxed workers, and the broker that is their only door out. */
export {
  createBroker,
  parseAllowPrivate,
  type AllowPrivate,
  type Broker,
  type BrokerOptions,
  type BrokerSession,
  type SessionOptions,
  type EgressRecord,
  type PluginStorage,
  type StorageScope,
  type CloseReason,
  type SessionStats,
} from './broker/broker.ts';
export {
  createEngine,
  EngineError,
  type Engine,
  type EngineOptions,
  type BundleCode,
  type CallOutcome,
  type CallRequest,
  type CallHandlers,
} from './engine/engine.ts';
export { FairQueue } from './fair-queue.ts';
