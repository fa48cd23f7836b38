import { MAX_RESPONSE_BYTES } from '../../../contract/limits.ts';
import type { FetchHead } from '../../protocol/broker.ts';
import { orAborted } from './abort.ts';
import { Content, type Pull } from './body.ts';
import type { GuestCall } from './calls.ts';
import { failure, makeFailure } from './failure.ts';
import { Request, type RequestInit, requestParts } from './request.ts';
import { type Response, arrivedResponse } from './response.ts';
import { URL } from './url.ts';

/** `fetch` of one call: the request goes to the broker whole, the answer's body comes chunk by chunk as it is read. */
export async function fetchFor(call: GuestCall, input: unknown, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { protocol } = new URL(request.url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw makeFailure(
      failure('EGRESS_DENIED', `fetch is for http and https: "${request.url.slice(0, 200)}" is neither`),
    );
  }
  const { content, signal } = requestParts(request);
  signal?.throwIfAborted();
  const body = content === null ? null : await orAborted(content.take(), signal);
  const asked = call.ask(
    {
      op: 'fetch',
      request: {
        url: request.url,
        method: request.method,
        headers: [...request.headers],
        redirect: request.redirect as 'follow',
      },
    },
    body,
  );
  try {
    return respond(call, await orAborted(asked, signal), signal);
  } catch (error) {
    // An answer that comes after the signal fired: its body is not wanted.
    asked.then(
      (head) => head.body === null || cancelBody(call, head.body),
      () => {},
    );
    throw error;
  }
}

function respond(call: GuestCall, head: FetchHead, signal: Parameters<typeof orAborted>[1]): Response {
  const manual = head.status >= 300 && head.status < 400 && head.body === null && head.bytes === null;
  return arrivedResponse(
    { status: head.status, statusText: head.statusText, headers: head.headers },
    {
      content: manual ? null : contentOf(call, head, signal),
      url: head.url,
      redirected: head.redirected,
      type: 'basic',
    },
  );
}

function contentOf(call: GuestCall, head: FetchHead, signal: Parameters<typeof orAborted>[1]): Content | null {
  if (head.body === null) return head.bytes === null ? null : Content.ofBytes(head.bytes as Uint8Array<ArrayBuffer>);
  return Content.ofPull(pullBody(call, head.body, head.bytes, signal));
}

function pullBody(
  call: GuestCall,
  body: number,
  first: Uint8Array | null,
  signal: Parameters<typeof orAborted>[1],
): Pull {
  let head = first;
  let read = 0;
  return {
    async next() {
      const chunk = head ?? (await orAborted(call.ask({ op: 'body.read', body }), signal));
      head = null;
      read += chunk?.byteLength ?? 0;
      if (read > MAX_RESPONSE_BYTES) {
        cancelBody(call, body);
        throw makeFailure(failure('NETWORK_ERROR', `the answer has more than ${MAX_RESPONSE_BYTES} bytes`));
      }
      return chunk;
    },
    cancel: () => cancelBody(call, body),
  };
}

function cancelBody(call: GuestCall, body: number): void {
  call.ask({ op: 'body.cancel', body }).catch(() => {});
}
