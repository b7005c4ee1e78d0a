/**
 * The whole server, over HTTP: with a PostgreSQL database, an OpenID provider, keys and a witness of its own.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSigningKey, formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import { readConfig } from '../../src/server/config.js';
import { createLog } from '../../src/server/log.js';
import { type Server, startServer } from '../../src/server/server.js';
import { formatKeys, generateKeys } from '../../src/vault/key-file.js';
import { makeSecretFile } from '../../src/vault/secret-file.js';
import { serveWitness } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { Witness } from '../../src/witness/witness.js';
import { type MigratedDatabase, migratedDatabase, ORIGIN } from './ledger.js';
import { type OpenIdProvider, type ProviderClient, startProvider } from './oidc.js';
import { closeFolder, openFolder } from './postgres.js';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for, and fails where it is wrong
  readonly data: any;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

/** All that a server of an organisation needs. */
export interface Site {
  readonly provider: OpenIdProvider;
  readonly database: MigratedDatabase;
  /** By which any number of servers are of one log. */
  readonly settings: Readonly<Record<string, string>>;
  /** Verifier keys. */
  readonly logKey: string;
  readonly witnessKey: string;
  /** Posts JSON as a client of the provider. */
  post(url: string, client: string, body: object): Promise<Answer>;
  close(): Promise<void>;
}

export interface RunningServer extends Omit<Site, 'post' | 'close'> {
  readonly url: string;
  post(client: string, body: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** For a privacy officer: gives a member of the staff all that clause 5.2 asks for reads under one purpose. */
export const GIVE_ALL_FOUR = `mutation ($staff: ID!, $until: DateTimeISO!) {
  beginEngagement(input: { staff: $staff, kind: EMPLOYEE }) { id }
  recordConfidentialityAgreement(input: { staff: $staff }) { id }
  recordTraining(input: { staff: $staff, until: $until }) { id }
  grantNeedToKnow(input: { staff: $staff, purpose: "convenience", until: $until }) { id }
}`;

const LOG_KEY = signingKey(ORIGIN, new Uint8Array(32).fill(7));
const WITNESS_KEY = signingKey('witness.example.com/w', new Uint8Array(32).fill(8), 'cosignature');

export async function openSite(clients: readonly ProviderClient[]): Promise<Site> {
  const provider = await startProvider({ clients });
  const database = await migratedDatabase();
  const folder = await openFolder();
  const now = () => new Date();
  const keeper = {
    state: new Map() as State,
    replace(state: State) {
      this.state = state;
    },
  };
  const witness = await serveWitness(new Witness({ key: WITNESS_KEY, logs: [LOG_KEY], keeper, now }), {
    host: '127.0.0.1',
    port: 0,
    tell: () => {},
  });
  makeSecretFile(join(folder, 'log.key'), formatSigningKey(LOG_KEY));
  makeSecretFile(join(folder, 'kek.json'), formatKeys(generateKeys(now(), randomBytes)));
  const policy = `witness w ${formatVerifierKey(WITNESS_KEY)} ${witness.url}\nquorum w\n`;
  await writeFile(join(folder, 'witnesses'), policy);
  return {
    provider,
    database,
    settings: {
      PORT: '0',
      DATA_DIR: folder,
      DATABASE_URL: database.url,
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: provider.audience,
      KEK_FILE: join(folder, 'kek.json'),
      LOG_ORIGIN: ORIGIN,
      LOG_KEY_FILE: join(folder, 'log.key'),
      WITNESSES: join(folder, 'witnesses'),
      REQUESTS_PER_MINUTE: '10000',
    },
    logKey: formatVerifierKey(LOG_KEY),
    witnessKey: formatVerifierKey(WITNESS_KEY),
    async post(url, client, body) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await provider.token(client)}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Answer;
    },
    async close() {
      await witness.close(1_000);
      await provider.stop();
      await closeFolder(folder);
      await database.drop();
    },
  };
}

/** A server of a site, in this process. */
export function serveSite({ settings }: Pick<Site, 'settings'>): Promise<Server> {
  return startServer({
    config: readConfig(settings),
    log: createLog({ level: 'error' }),
    now: () => new Date(),
    tell: () => {},
    signal: new AbortController().signal,
  });
}

export async function stopServer({ stop }: Server): Promise<void> {
  for (const { run } of stop) await run();
}

export async function runServer(clients: readonly ProviderClient[]): Promise<RunningServer> {
  const { post, close, ...site } = await openSite(clients);
  const server = await serveSite(site);
  return {
    ...site,
    url: server.url,
    post: (client, body) => post(server.url, client, body),
    async stop() {
      await stopServer(server);
      await close();
    },
  };
}
