/**
 * A real OpenID provider on loopback: a client signs in with its credentials, and gets an access token that is a JWT
 * (RFC 9068) with the roles claim. It also lends its key, for tokens that no provider would issue.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import Provider from 'oidc-provider';
import { ROLES_CLAIM } from '../../src/server/authentication.js';

export interface ProviderClient {
  /** The `sub` of its tokens. */
  readonly id: string;
  readonly roles: readonly string[];
}

export interface OpenIdProvider {
  readonly issuer: string;
  readonly audience: string;
  /** An access token by the client-credentials grant. */
  token(client: string): Promise<string>;
  /** Any claims and any header, signed with the provider's present key. */
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** The present key's public half. */
  publicKey(): JWK;
  /** From now on another key signs, and only that one is published. */
  rotateKeys(): Promise<void>;
  /** How often the published keys were fetched. */
  fetches(): number;
  stop(): Promise<void>;
}

const AUDIENCE = 'https://ledger.example.com';
const SECRET = 'a secret of the tests, which nothing protects';
const ALGORITHM = 'ES256';

export async function startProvider({ clients }: { clients: readonly ProviderClient[] }): Promise<OpenIdProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let key = await makeKey();
  let fetches = 0;
  let handle = makeProvider(issuer, clients, key).callback();
  server.on('request', (request, response) => {
    if (request.url === '/jwks') fetches += 1;
    handle(request, response);
  });
  return {
    issuer,
    audience: AUDIENCE,
    token: (client) => fetchToken(issuer, client),
    async sign(claims, header) {
      const given = { iss: issuer, aud: AUDIENCE, sub: 'ada', exp: Math.floor(Date.now() / 1000) + 600, ...claims };
      return new SignJWT(given)
        .setProtectedHeader({ alg: ALGORITHM, kid: key.kid as string, typ: 'at+jwt', ...header })
        .sign(await importJWK(key, ALGORITHM));
    },
    publicKey() {
      const { d: _, ...shown } = key;
      return shown;
    },
    async rotateKeys() {
      key = await makeKey();
      handle = makeProvider(issuer, clients, key).callback();
    },
    fetches: () => fetches,
    stop: () => stop(server),
  };
}

async function makeKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: ALGORITHM, use: 'sig' };
}

function makeProvider(issuer: string, clients: readonly ProviderClient[], key: JWK): Provider {
  const roles = new Map(clients.map((client) => [client.id, client.roles]));
  return new Provider(issuer, {
    clients: clients.map(({ id }) => ({
      client_id: id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: ALGORITHM,
    })),
    jwks: { keys: [key] },
    cookies: { keys: [randomUUID()] },
    extraTokenClaims: (_: unknown, token: { clientId: string }) => ({ [ROLES_CLAIM]: roles.get(token.clientId) }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => ({
          scope: '',
          audience: AUDIENCE,
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: ALGORITHM } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
  });
}

async function fetchToken(issuer: string, client: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:${encodeURIComponent(SECRET)}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
  });
  const answer = (await response.json()) as { access_token?: string; error?: string };
  if (answer.access_token === undefined) throw new Error(`no token for ${client}: ${answer.error}`);
  return answer.access_token;
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
}
