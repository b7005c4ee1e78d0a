/**
 * The demo issuer signs tokens for the demo organisation with a key of this machine's, in `<dataDir>/demo-issuer.json`.
 * It has no address: its name is under `.invalid` (RFC 2606), so no production deployment can be set to trust it by
 * mistake, and the configuration refuses it there.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose';
import { ROLES_CLAIM, type Role } from '../authentication.js';

export const DEMO_ISSUER = 'https://demo.access-ledger.invalid';
export const DEMO_AUDIENCE = 'access-ledger-demo';

/** Who can sign in to the demo organisation, and as what. The names are the tokens' subjects. */
export const DEMO_ROLES = {
  support: 'support-agent',
  officer: 'privacy-officer',
  reviewer: 'security-reviewer',
  user: 'user',
  processor: 'processor',
} as const satisfies Record<string, Role>;

export type DemoName = keyof typeof DEMO_ROLES;

export interface DemoToken {
  readonly subject: string;
  readonly role: Role;
  /** Seconds. */
  readonly expiresIn: number;
}

export interface DemoIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** Verifies without HTTP. */
  readonly keys: JWTVerifyGetKey;
  issueDemoToken(token: DemoToken): Promise<string>;
}

const FILE = 'demo-issuer.json';
const ALGORITHM = 'ES256';

/** Makes the key on first use; processes that start at once agree on one. */
export async function openDemoIssuer(dataDir: string, now: () => number): Promise<DemoIssuer> {
  const file = join(dataDir, FILE);
  const key = (await readKey(file)) ?? (await makeKey(dataDir, file));
  const secret = await importJWK(key, ALGORITHM);
  const { d: _, ...shown } = key;
  return {
    issuer: DEMO_ISSUER,
    audience: DEMO_AUDIENCE,
    keys: createLocalJWKSet({ keys: [shown] }),
    issueDemoToken: ({ subject, role, expiresIn }) => {
      const at = Math.floor(now() / 1000);
      return new SignJWT({ [ROLES_CLAIM]: [role] })
        .setProtectedHeader({ alg: ALGORITHM, kid: key.kid as string, typ: 'at+jwt' })
        .setIssuer(DEMO_ISSUER)
        .setAudience(DEMO_AUDIENCE)
        .setSubject(subject)
        .setIssuedAt(at)
        .setExpirationTime(at + expiresIn)
        .sign(secret);
    },
  };
}

async function readKey(file: string): Promise<JWK | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as JWK;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Written aside, then linked into place: a file of that name is always whole, and the first one stays. */
async function makeKey(dataDir: string, file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const key: JWK = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: ALGORITHM, use: 'sig' };
  await mkdir(dataDir, { recursive: true });
  const aside = `${file}.${key.kid}`;
  try {
    const handle = await open(aside, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify(key, null, 2)}\n`);
    await handle.sync();
    await handle.close();
    await link(aside, file);
    return key;
  } catch (error) {
    const first = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKey(file) : null;
    if (!first) throw error;
    return first;
  } finally {
    await rm(aside, { force: true });
  }
}
