/**
 * The whole server, over HTTP: with a PostgreSQL database, an OpenID provider, keys and a witness of its own.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSigningKey, formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import { readConfig } from '../../src/server/config.js';
import { createLog } from '../../src/server/log.js';
import { startServer } from '../../src/server/server.js';
import { formatKeys, generateKeys } from '../../src/vault/key-file.js';
import { makeSecretFile } from '../../src/vault/secret-file.js';
import { serveWitness } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { Witness } from '../../src/witness/witness.js';
import { migratedDatabase, ORIGIN } from './ledger.js';
import { type OpenIdProvider, type ProviderClient, startProvider } from './oidc.js';
import { closeFolder, openFolder } from './postgres.js';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for, and fails where it is wrong
  readonly data: any;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

export interface RunningServer {
  readonly url: string;
  readonly provider: OpenIdProvider;
  /** Verifier keys. */
  readonly logKey: string;
  readonly witnessKey: string;
  /** Posts JSON as a client of the provider. */
  post(client: string, body: object): Promise<Answer>;
  stop(): Promise<void>;
}

const LOG_KEY = signingKey(ORIGIN, new Uint8Array(32).fill(7));
const WITNESS_KEY = signingKey('witness.example.com/w', new Uint8Array(32).fill(8), 'cosignature');

export async function runServer(clients: readonly ProviderClient[]): Promise<RunningServer> {
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
  const server = await startServer({
    config: readConfig({
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
    }),
    log: createLog({ level: 'error' }),
    now,
    tell: () => {},
    signal: new AbortController().signal,
  });
  return {
    url: server.url,
    provider,
    logKey: formatVerifierKey(LOG_KEY),
    witnessKey: formatVerifierKey(WITNESS_KEY),
    async post(client, body) {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await provider.token(client)}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Answer;
    },
    async stop() {
      for (const { run } of server.stop) await run();
      await witness.close(1_000);
      await provider.stop();
      await closeFolder(folder);
      await database.drop();
    },
  };
}
