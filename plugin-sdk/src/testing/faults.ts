import type { Upstream } from './upstream.ts';

/** What services do on bad days, each as an answer for the `upstream` of a test. */

/** Never answers: the connector waits until its own time-out, or its deadline. */
export function noAnswer(): Promise<Response> {
  return new Promise(() => {});
}

/** 429 with `Retry-After`, in seconds. */
export function tooManyRequests(retryAfter = 1): Response {
  return Response.json({ error: 'too many requests' }, { status: 429, headers: { 'retry-after': String(retryAfter) } });
}

/** 500 with a page that is no JSON, as proxies send it. */
export function serverError(): Response {
  return new Response('<html><body>Internal Server Error</body></html>', {
    status: 500,
    headers: { 'content-type': 'text/html' },
  });
}

/** The connection is closed before anything was answered. */
export function connectionLost(): Response {
  return Response.error();
}

/** Announces the whole body, sends its first half, and closes the connection. */
export function cutBody(text = '{"cut":"in the middle"}', init: ResponseInit = {}): Response {
  const bytes = new TextEncoder().encode(text);
  const headers = new Headers(init.headers);
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  headers.set('content-length', String(bytes.byteLength));
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) controller.error(new Error('cut'));
      else controller.enqueue(bytes.subarray(0, bytes.byteLength >> 1));
      sent = true;
    },
  });
  return new Response(body, { ...init, headers });
}

/** Each fault under its name, for `eachFault`. */
export const FAULTS: Readonly<Record<string, () => Response | Promise<Response>>> = {
  'no answer': noAnswer,
  '429 with Retry-After': () => tooManyRequests(1),
  '500 with HTML': serverError,
  'connection lost': connectionLost,
  'body cut off': () => cutBody(),
};

/** Answers the request number `at` (from 0) with a fault, every other one as `upstream` does. */
export function faultAt(at: number, fault: () => Response | Promise<Response>, upstream: Upstream): Upstream {
  let seen = 0;
  return (request) => (seen++ === at ? fault() : upstream(request));
}
