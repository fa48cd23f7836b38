import type { Principal } from '../auth/principal.ts';
import type { Context } from '../core/context.ts';
import { newContext } from '../core/context.ts';
import type { Exchange } from './exchange.ts';
import type { RequestBody } from './middleware/body.ts';
import type { Query } from './query.ts';
import { headersOf } from './reply.ts';
import type { Call } from './route.ts';

/** The context of a request on behalf of somebody. It carries no signal: a client that goes away does not end the work that it asked for. */
export function contextOf(exchange: Exchange, principal: Principal): Context {
  return newContext({
    traceId: exchange.traceId,
    spanId: exchange.spanId,
    tenantId: principal.tenantId,
    userId: principal.userId,
    sampled: exchange.sampled,
  });
}

export function newCall(
  exchange: Exchange,
  ctx: Context,
  principal: Principal,
  params: Readonly<Record<string, string>>,
  query: Query,
  body: RequestBody,
  closing: AbortSignal,
): Call {
  let gone: AbortController | null = null;
  return {
    req: exchange.req,
    res: exchange.res,
    ctx,
    principal,
    params,
    query,
    search: exchange.search,
    body: body.json,
    bytes: body.bytes,
    closing,
    about(names) {
      exchange.workflowId = names.workflowId ?? exchange.workflowId;
      exchange.runId = names.runId ?? exchange.runId;
    },
    headers: (extra) => headersOf(exchange, extra),
    clientGone() {
      if (gone !== null) return gone.signal;
      const controller = (gone = new AbortController());
      const { res } = exchange;
      const abort = (): void => controller.abort(new Error('the client has disconnected'));
      if (res.destroyed) abort();
      // 'close' also follows an answer that was sent whole: that is no disconnect.
      else res.once('close', () => void (res.writableFinished || abort()));
      return controller.signal;
    },
  };
}
