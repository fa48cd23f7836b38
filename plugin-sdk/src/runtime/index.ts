/** The runtime: engine processes, their sandboxed workers, and the broker that is their only door out. */
export { createBroker, type Broker, type BrokerOptions, type BrokerSession, type SessionOptions, type EgressRecord } from './broker/broker.ts';
export { createEngine, type Engine, type EngineOptions, type BundleCode, type CallOutcome, type CallRequest, type CallHandlers } from './engine/engine.ts';
