import { fromHex } from '../../src/log/bytes.js';
import { signingKey } from '../../src/log/note-key.js';

/** Keys of fixed seeds: a log's, another's under the same name, and three witnesses'. */
const seed = (n: number) => fromHex(n.toString(16).padStart(2, '0').repeat(32))!;

export const ORIGIN = 'ledger.example.com/main';
export const logKey = signingKey(ORIGIN, seed(1));
export const impostorKey = signingKey(ORIGIN, seed(2));
export const witnessKeys = [3, 4, 5].map((n) => signingKey(`witness.example.com/w${n}`, seed(n), 'cosignature'));
