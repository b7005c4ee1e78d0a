/**
 * Facts change while decisions are made: then the ledger hands a body back as stale, and the gate reads and decides again.
 */

/** The facts changed each time we had decided. Not a decision: the same request may be permitted the next moment. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
  constructor() {
    super('What this decision rests on kept changing while it was made. Try again.');
  }
}

const TRIES = 3;

/** @throws TryAgain after the third attempt that came back stale. */
export async function untilFresh<T>(attempt: () => Promise<T | 'stale'>): Promise<T> {
  for (let tries = 0; tries < TRIES; tries++) {
    const result = await attempt();
    if (result !== 'stale') return result;
  }
  throw new TryAgain();
}
