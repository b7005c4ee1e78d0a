/**
 * A log that is published when a test says so: by the server's own publisher, and by witnesses that cosign whatever they
 * are shown.
 */
import { createPublisher } from '../../src/ledger/publisher.js';
import { signNote } from '../../src/log/note.js';
import { signingKey, type VerifierKey } from '../../src/log/note-key.js';
import type { Core } from '../../src/server/core.js';
import { ORIGIN } from './ledger.js';

export const LOG_KEY = signingKey(ORIGIN, new Uint8Array(32).fill(7));
export const WITNESSES = [1, 2, 3].map((n) =>
  signingKey(`w${n}.example.com`, new Uint8Array(32).fill(10 + n), 'cosignature'),
);

export interface TestPublishing {
  /** @returns the size of the newest checkpoint */
  publish(): Promise<number>;
  /** Has the newest checkpoint cosigned by so many. */
  cosign(witnesses?: number): Promise<void>;
}

export function publishing({ tree, publications }: Pick<Core, 'tree' | 'publications'>): TestPublishing {
  const publisher = createPublisher({ reader: tree, publications, key: LOG_KEY, leaseSeconds: 60 });
  return {
    async publish() {
      while ((await publisher.publish()) !== 'idle');
      return (await tree.newestSigned())?.size ?? 0;
    },
    async cosign(witnesses = 1) {
      const { size, note } = (await tree.newestSigned())!;
      const text = note.slice(0, note.indexOf('\n\n') + 1);
      for (const key of WITNESSES.slice(0, witnesses)) {
        const line = signNote(text, [key], Math.floor(Date.now() / 1000))
          .trimEnd()
          .split('\n')
          .at(-1)!;
        await publications.cosign(size, nameOf(key), line);
      }
    },
  };
}

function nameOf({ name, id }: VerifierKey): string {
  return `${name}+${id}`;
}
