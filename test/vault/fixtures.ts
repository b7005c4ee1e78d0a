/** What the vault's tests share: people, records, keys, and a scan of errors for what they must not hold. */
import { createHash, randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Category, Pseudonym, RecordId, RecordVersion } from '../../src/log/entry.js';
import { formatKeys, generateKeys, type KeyFile } from '../../src/vault/key-file.js';
import { environmentKeys, type KeyProvider } from '../../src/vault/key-provider.js';
import { VaultError } from '../../src/vault/vault-error.js';

export const LOG = 'ledger.example.com/main';
export const ANA = '91c2f3aa-0000-4000-8000-000000000001' as Pseudonym;
export const BO = '91c2f3aa-0000-4000-8000-000000000002' as Pseudonym;
export const EMAIL = 'user.contact.email' as Category;
export const PHONE = 'user.contact.phone_number' as Category;
export const NAME = 'user.name' as Category;

export const day = (text: string) => new Date(`${text}T12:00:00Z`);
export const NOW = day('2026-11-22');

export const record = (id: string, category = EMAIL, version = 1): RecordVersion => ({
  id: id as RecordId,
  category,
  version,
});

/** Any text that is text. */
export const text = fc.string({ unit: 'binary' });

/** Bytes that are different on every call and the same on every run. */
export function countingRandom(): (bytes: number) => Uint8Array {
  let calls = 0;
  return (bytes) => createHash('sha512').update(`call ${calls++}`).digest().subarray(0, bytes);
}

export const freshKeys = (): KeyFile => generateKeys(NOW, randomBytes);

export const providerOf = (file: KeyFile, now = NOW): KeyProvider =>
  environmentKeys('KEK', formatKeys(file), () => now);

/** Another file at its path, as an operator or an orchestrator puts it there. */
export function putFile(path: string, text: string): void {
  writeFileSync(`${path}.put`, text, { mode: 0o600 });
  renameSync(`${path}.put`, path);
}

/** The code with which it fails; an error of any other class is the test's failure. */
export async function failure(attempt: () => unknown): Promise<string> {
  const error = await caught(attempt);
  if (error instanceof VaultError) return error.code;
  throw error;
}

export async function caught(attempt: () => unknown): Promise<unknown> {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/** Looks for a secret in all that an error shows, in every spelling that keys and values have. */
export function expectSilence(error: unknown, secrets: readonly (Uint8Array | string)[]): void {
  const { message, stack, cause } = error as Error;
  const shown = [
    message,
    stack,
    String(cause),
    JSON.stringify(error),
    inspect(error, { showHidden: true, depth: 9 }),
  ].join();
  for (const secret of secrets) {
    const bytes = Buffer.from(secret);
    for (const encoding of ['utf8', 'base64', 'base64url', 'hex', 'latin1'] as const) {
      expect(shown.includes(bytes.toString(encoding)), `the error shows a secret in ${encoding}`).to.equal(false);
    }
    expect(shown.includes(Array.from(bytes).join(', ')), 'the error shows a secret as numbers').to.equal(false);
  }
}
