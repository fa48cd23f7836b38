import { MAX_RESULT_CHARS, MAX_SPAN_NAME_CHARS } from '../../contract/index.ts';
import { isBrokerCall } from './check-broker.ts';
import { isArrayOf, isCount, isErrorData, isFields, isLevel, isObject, isText, isTextOrNull } from './check-values.ts';
import type { EngineMessage } from './engine.ts';
import type { LaneEvent } from './worker.ts';

/**
 * What comes up from a less trusted floor (worker → engine, engine → host) is checked here, message by message, before anything
 * of it is used. Hand-written, because these run on every call: a schema library costs more than the call itself.
 * Fields that are not named are never read, so they need no check.
 */

/** Room above the largest result for the text of a definition or an error. */
const MAX_TEXT = MAX_RESULT_CHARS + 1024 * 1024;

/** Whether `value` is a batch of well-formed messages of an engine. */
export function isEngineBatch(value: unknown): value is EngineMessage[] {
  return isArrayOf(value, isEngineMessage);
}

/** Whether `value` is a batch of well-formed events of a lane. */
export function isLaneBatch(value: unknown): value is LaneEvent[] {
  return isArrayOf(value, isLaneEvent);
}

function isEngineMessage(value: unknown): boolean {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
      return true;
    case 'result':
      return isCount(value.key) && isText(value.output, MAX_TEXT) && isUsage(value.usage);
    case 'failure':
      return isCount(value.key) && isErrorData(value.error, MAX_TEXT) && isUsage(value.usage);
    case 'returned':
      return isCount(value.key) && typeof value.started === 'boolean' && typeof value.suspect === 'boolean';
    case 'ended':
      return isCount(value.key) && (value.threadGoneMs === null || isDuration(value.threadGoneMs));
    case 'stuck':
      return isArrayOf(value.keys, isCount) && isArrayOf(value.suspects, isCount);
    case 'pong':
      return isCount(value.id) && isStats(value.stats);
    default:
      return isEventOfCall(value);
  }
}

function isLaneEvent(value: unknown): boolean {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
      return true;
    case 'result':
      return isCount(value.key) && isText(value.output, MAX_TEXT) && isDuration(value.wallMs);
    case 'failure':
      return isCount(value.key) && isErrorData(value.error, MAX_TEXT) && isDuration(value.wallMs);
    case 'skipped':
      return isCount(value.key);
    case 'pong':
      return isCount(value.id);
    default:
      return isEventOfCall(value);
  }
}

/** What a call says while it runs; the same on both floors. */
function isEventOfCall(value: Record<string, unknown>): boolean {
  if (!isCount(value.key)) return false;
  switch (value.type) {
    case 'call':
      return isCount(value.call) && isBrokerCall(value.request);
    case 'log':
      return isLevel(value.level) && isText(value.message, MAX_TEXT) && isFields(value.fields);
    case 'logs-dropped':
      return isCount(value.count);
    case 'progress':
      return typeof value.fraction === 'number' && isTextOrNull(value.message, MAX_TEXT);
    case 'span':
      return (
        isText(value.name, MAX_SPAN_NAME_CHARS) && isDuration(value.durationMs) && typeof value.failed === 'boolean'
      );
    default:
      return false;
  }
}

function isUsage(value: unknown): boolean {
  return isObject(value) && isDuration(value.wallMs);
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER;
}

function isStats(value: unknown): boolean {
  return isObject(value) && isCount(value.rss) && isArrayOf(value.pools, isPoolStats);
}

function isPoolStats(value: unknown): boolean {
  return isObject(value) && isText(value.digest, 1024) && isCount(value.threads) && isCount(value.calls);
}
