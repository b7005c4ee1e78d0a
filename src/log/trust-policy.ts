/**
 * A trust policy says whose signatures make a checkpoint good: which logs, which witnesses, and the quorum of them (C2SP
 * tlog-policy). It is a text that people write, and the same file serves the log that asks its witnesses and whoever
 * checks what they signed:
 *
 *     log ledger.example.com/main+530d903a+Ae…
 *     witness regulator witness.example.gov/w1+a268b556+BK… https://witness.example.gov/
 *     witness audit     audit.example.com/w+1f6c2a07+BP…    https://audit.example.com/
 *     group both all regulator audit
 *     quorum both
 */
import { toHex } from './bytes.js';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './note-key.js';

export interface TrustPolicy {
  readonly logs: readonly Named[];
  readonly witnesses: readonly NamedWitness[];
  readonly quorum: Quorum;
}

export interface Named {
  readonly key: VerifierKey;
  /** As it stands there, not looked at. */
  readonly url: string | null;
}

export interface NamedWitness extends Named {
  /** Within the policy only. */
  readonly name: string;
}

/** At least so many of the members: a witness by its verifier key, or a quorum of its own. None of none is always met. */
export interface Quorum {
  readonly least: number;
  readonly of: readonly (string | Quorum)[];
}

export type PolicyFault =
  | /** No line of this form, or a character that none may have. */ 'LINE_MALFORMED'
  | /** No verifier key, or none of Ed25519. */ 'KEY_UNUSABLE'
  | /** The same public key twice among logs, or among witnesses. */ 'KEY_TWICE'
  | 'NAME_TWICE'
  | /** Of nothing on a line before it. */ 'NAME_UNKNOWN'
  | /** Two groups have it. */ 'MEMBER_TWICE'
  | /** Not from 1 to the number of members. */ 'THRESHOLD_WRONG'
  | 'QUORUM_MISSING'
  | 'QUORUM_TWICE';

export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  constructor(
    readonly code: PolicyFault,
    /** From 1; the last where something is missing. */
    readonly line: number,
  ) {
    super(`line ${line}: ${code}`);
  }
}

export const NO_QUORUM: Quorum = { least: 0, of: [] };

/** @throws PolicyError */
export function parseTrustPolicy(text: string): TrustPolicy {
  const logs: Named[] = [];
  const witnesses: NamedWitness[] = [];
  const names = new Map<string, string | Quorum>();
  const members = new Set<string>();
  let quorum: Quorum | null = null;
  const lines = text.split('\n');

  for (const [at, line] of lines.entries()) {
    const fail = (code: PolicyFault): never => {
      throw new PolicyError(code, at + 1);
    };
    const key = (vkey: string, type: VerifierKey['type'], among: readonly Named[]): VerifierKey => {
      const parsed = parseVerifierKey(vkey);
      if (parsed?.type !== type) return fail('KEY_UNUSABLE');
      if (among.some((one) => toHex(one.key.publicKey) === toHex(parsed.publicKey))) fail('KEY_TWICE');
      return parsed;
    };
    const define = (name: string, as: string | Quorum): void => {
      if (name === NONE || names.has(name)) fail('NAME_TWICE');
      names.set(name, as);
    };
    const named = (name: string): string | Quorum => names.get(name) ?? fail('NAME_UNKNOWN');
    const member = (name: string): string | Quorum => {
      const found = named(name);
      if (members.has(name)) fail('MEMBER_TWICE');
      members.add(name);
      return found;
    };

    if (CONTROL.test(line)) fail('LINE_MALFORMED');
    const [word, ...rest] = line.split(/[ \t]+/).filter(Boolean);
    if (word === undefined || word.startsWith('#')) continue;
    const [first, second, third] = rest;
    if (word === 'log' && first && rest.length <= 2) {
      logs.push({ key: key(first, 'ed25519', logs), url: second ?? null });
    } else if (word === 'witness' && first && second && rest.length <= 3) {
      const witness = { name: first, key: key(second, 'cosignature', witnesses), url: third ?? null };
      define(first, formatVerifierKey(witness.key));
      witnesses.push(witness);
    } else if (word === 'group' && first && second && third) {
      const of = rest.slice(2).map(member);
      define(first, { least: threshold(second, of.length) ?? fail('THRESHOLD_WRONG'), of });
    } else if (word === 'quorum' && first && rest.length === 1) {
      if (quorum) fail('QUORUM_TWICE');
      quorum = first === NONE ? NO_QUORUM : { least: 1, of: [named(first)] };
    } else fail('LINE_MALFORMED');
  }
  if (!quorum) throw new PolicyError('QUORUM_MISSING', lines.length);
  return { logs, witnesses, quorum };
}

const NONE = 'none';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;

function threshold(text: string, members: number): number | null {
  if (text === 'any') return 1;
  if (text === 'all') return members;
  const least = /^[1-9][0-9]{0,5}$/.test(text) ? Number(text) : 0;
  return least >= 1 && least <= members ? least : null;
}

/** @param cosigned The verifier keys, as text, whose cosignatures of one checkpoint were found valid */
export function meetsQuorum({ least, of }: Quorum, cosigned: ReadonlySet<string>): boolean {
  return of.filter((one) => (typeof one === 'string' ? cosigned.has(one) : meetsQuorum(one, cosigned))).length >= least;
}

/** The smallest number of witnesses that can meet it. */
export function fewestFor({ least, of }: Quorum): number {
  const fewest = of.map((one) => (typeof one === 'string' ? 1 : fewestFor(one))).sort((a, b) => a - b);
  return fewest.slice(0, least).reduce((sum, n) => sum + n, 0);
}
