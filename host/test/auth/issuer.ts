import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Provider } from 'oidc-provider';

/** A certified OpenID Connect provider in this process: tokens, discovery and keys come from it over HTTP. */
export interface Issuer {
  readonly url: string;
  readonly audience: string;
  /** An access token by the client credentials grant, with these claims besides the usual ones. */
  token(
    claims: Record<string, unknown>,
    options?: { readonly audience?: string; readonly ttl?: number },
  ): Promise<string>;
  /** The public keys, as published. */
  keys(): Promise<readonly JWK[]>;
  /** From now on signs with a new key; the old one is published no more. */
  rotate(): Promise<void>;
  /** Requests for the keys so far. */
  readonly keyRequests: () => number;
  close(): Promise<void>;
}

const AUDIENCE = 'https://goflow.example/api';

export async function startIssuer(): Promise<Issuer> {
  let listener: (...args: Parameters<ReturnType<Provider['callback']>>) => unknown = () => undefined;
  let keyRequests = 0;
  const server = createServer((req, res) => {
    if (req.url === '/jwks') keyRequests++;
    void listener(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let extra: Record<string, unknown> = {};
  let ttl = 60;

  async function provide(kid: string): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const provider = new Provider(url, {
      clients: [
        {
          client_id: 'ann',
          client_secret: 'secret',
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'RS256' }] },
      cookies: { keys: ['of a test'] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx, resource) => ({
            scope: 'api',
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: ttl,
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
      formats: {
        customizers: {
          jwt(_ctx, _token, parts) {
            Object.assign(parts.payload, extra);
          },
        },
      },
    });
    listener = provider.callback();
  }
  await provide('first');

  return {
    url,
    audience: AUDIENCE,
    keyRequests: () => keyRequests,
    rotate: () => provide('second'),
    async token(claims, options = {}) {
      extra = claims;
      ttl = options.ttl ?? 60;
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          scope: 'api',
          resource: options.audience ?? AUDIENCE,
        }),
      });
      const body = (await response.json()) as { access_token?: string };
      if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    async keys() {
      return ((await (await fetch(`${url}/jwks`)).json()) as { keys: JWK[] }).keys;
    },
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
