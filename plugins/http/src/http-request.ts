import { ConnectorError, type ConnectorContext, type Infer } from '@goflow/plugin-sdk';
import { readAnswer } from './answer.ts';
import { type HttpCredential, buildRequest } from './request.ts';
import type { input, output } from './schema.ts';

/** Sends one request and reads its answer, whatever its status. Network failures are retryable errors. */
export async function httpRequest(
  ctx: ConnectorContext<HttpCredential>,
  asked: Infer<typeof input>,
): Promise<Infer<typeof output>> {
  const { url, init } = buildRequest(asked, ctx.credential);
  let response: Response;
  try {
    response = await ctx.fetch(url.href, { ...init, signal: ctx.signal });
  } catch (error) {
    throw explained(error, url);
  }
  try {
    return await readAnswer(response);
  } catch (error) {
    throw explained(error, url);
  }
}

/** Denied hosts and network failures come as ConnectorErrors; what else `fetch` throws is about the request. */
function explained(error: unknown, url: URL): unknown {
  if (ConnectorError.is(error)) {
    if (error.code !== 'EGRESS_DENIED') return error;
    const advice = 'the plugin http reaches the "host" (and "port") of its credential only';
    return new ConnectorError('EGRESS_DENIED', `${error.message}; ${advice}`, { details: { host: url.host } });
  }
  if (error instanceof TypeError)
    return new ConnectorError('REQUEST_INVALID', error.message, { details: { host: url.host } });
  return error;
}
