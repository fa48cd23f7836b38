import { AbortController, AbortSignal } from './abort.ts';
import { Blob, File } from './blob.ts';
import { requireCall } from './calls.ts';
import { makeConsole } from './console.ts';
import { CryptoKey } from './crypto-key.ts';
import { Crypto, makeCrypto } from './crypto.ts';
import { DOMException } from './dom-exception.ts';
import { TextDecoder, TextEncoder, atob, btoa } from './encoding.ts';
import { CustomEvent, Event, EventTarget, MessageEvent } from './events.ts';
import { fetchFor } from './fetch.ts';
import { FinalizationRegistry } from './finalization-registry.ts';
import { FormData } from './form-data.ts';
import { Headers } from './headers.ts';
import { MessageChannel, MessagePort } from './message-channel.ts';
import { Performance } from './performance.ts';
import { Request, type RequestInit } from './request.ts';
import { Response } from './response.ts';
import { connectFor } from './sockets.ts';
import * as streams from './streams.ts';
import { structuredClone } from './structured-clone.ts';
import { SubtleCrypto } from './subtle.ts';
import * as timers from './timers.ts';
import { CompressionStream, DecompressionStream, TextDecoderStream, TextEncoderStream } from './transform-streams.ts';
import { URLSearchParams } from './url-search-params.ts';
import { URL } from './url.ts';

/** Of what SES gives a compartment: what the web platform has not, or what would evaluate code. */
const REMOVED = ['Compartment', 'lockdown', 'harden', 'ModuleSource', 'HandledPromise', 'assert'] as const;

/** Puts the web platform into the compartment. Returns the names that a bundle may use freely. */
export function installGlobals(): readonly string[] {
  for (const name of REMOVED) Reflect.deleteProperty(globalThis, name);
  for (const [name, value] of Object.entries(webPlatform())) define(name, value);
  define('self', globalThis);
  return Object.getOwnPropertyNames(globalThis).filter((name) => !CONSTANT.has(name));
}

/** These need not, or cannot, be parameters of the function around a bundle. */
const CONSTANT: ReadonlySet<string> = new Set(['eval', 'undefined', 'NaN', 'Infinity']);

function define(name: PropertyKey, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

function webPlatform(): Readonly<Record<string, unknown>> {
  const { setTimeoutFor: _own, fireTimer: _fire, forgetTimers: _forget, ...timerGlobals } = timers;
  return {
    ...streams,
    ...timerGlobals,
    clearInterval: timers.clearTimeout,
    clearImmediate: timers.clearTimeout,
    AbortController,
    AbortSignal,
    Blob,
    CompressionStream,
    Crypto,
    CryptoKey,
    CustomEvent,
    DOMException,
    DecompressionStream,
    Event,
    EventTarget,
    File,
    FinalizationRegistry,
    FormData,
    Headers,
    MessageChannel,
    MessageEvent,
    MessagePort,
    Performance,
    Request,
    Response,
    SubtleCrypto,
    TextDecoder,
    TextDecoderStream,
    TextEncoder,
    TextEncoderStream,
    URL,
    URLSearchParams,
    atob,
    btoa,
    // For libraries that import `cloudflare:sockets`: the build makes that import this global.
    connect: (address: never, options: never) => connectFor(requireCall('network'), address, options),
    console: makeConsole(),
    crypto: makeCrypto(),
    fetch: async (input: unknown, init?: RequestInit) => fetchFor(requireCall('network'), input, init),
    navigator: Object.freeze({ userAgent: 'GoFlow', language: 'en', onLine: true, hardwareConcurrency: 1 }),
    performance: new Performance(),
    structuredClone,
    // The intrinsic of the same prototype, so that `instanceof Function` holds; calling it throws.
    Function: Function.prototype.constructor,
    eval: refuseEval,
  };
}

function refuseEval(): never {
  throw new TypeError('a connector cannot evaluate new code');
}
