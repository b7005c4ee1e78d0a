/**
 * The witness list is whom the publisher asks to cosign, and when enough of them have: a trust policy (C2SP tlog-policy)
 * whose witnesses have URLs. Reviewers can be given the same file.
 */
import { formatVerifierKey, type VerifierKey } from '../log/note-key.js';
import {
  fewestFor,
  meetsQuorum,
  type NamedWitness,
  PolicyError,
  type PolicyFault,
  parseTrustPolicy,
} from '../log/trust-policy.js';
import type { WitnessAt } from './cosigning.js';

export interface WitnessList {
  readonly witnesses: readonly WitnessAt[];
  /** No fewer cosignatures can be enough; 0 where none is needed. */
  readonly fewest: number;
  /** Whether enough have cosigned a checkpoint. */
  isQuorum(cosigned: readonly VerifierKey[]): boolean;
}

export type WitnessListFault =
  | PolicyFault
  | /** None of http or https, or one with a password, a query or a fragment. */ 'URL_UNUSABLE'
  | /** A `log` line, and none of them this log's. */ 'LOG_OF_ANOTHER';

export class WitnessListError extends Error {
  override readonly name = 'WitnessListError';
  /** @param where a line, or the name of a witness */
  constructor(
    readonly code: WitnessListFault,
    where: string,
  ) {
    super(`${where}: ${SAID[code]}`);
  }
}

const SAID: Readonly<Record<WitnessListFault, string>> = {
  LINE_MALFORMED: 'this is no line of a policy: log, witness, group or quorum (C2SP tlog-policy)',
  KEY_UNUSABLE:
    'this is no verifier key such as `access-ledger witness keys` or `keys public` prints: name+id+base64, of Ed25519',
  KEY_TWICE: 'this key is there already',
  NAME_TWICE: 'this name is there already, or is `none`',
  NAME_UNKNOWN: 'this names nothing on a line before it',
  MEMBER_TWICE: 'a group has this member already',
  THRESHOLD_WRONG: 'a group needs any, all, or a number from 1 to that of its members',
  QUORUM_MISSING: 'there is no quorum line: `quorum none` asks for none',
  QUORUM_TWICE: 'there is a quorum line already',
  URL_UNUSABLE: 'a witness that is to be asked has an http or https URL, without password, query and fragment',
  LOG_OF_ANOTHER: 'the policy is for other logs',
};

/**
 * @param log This log's key
 * @throws WitnessListError
 */
export function parseWitnessList(text: string, log: VerifierKey): WitnessList {
  const { logs, witnesses, quorum } = parse(text);
  const own = formatVerifierKey(log);
  if (logs.length > 0 && !logs.some(({ key }) => formatVerifierKey(key) === own)) {
    throw new WitnessListError('LOG_OF_ANOTHER', log.name);
  }
  return {
    witnesses: witnesses.map((witness) => ({ key: witness.key, url: urlOf(witness) })),
    fewest: fewestFor(quorum),
    isQuorum: (cosigned) => meetsQuorum(quorum, new Set(cosigned.map(formatVerifierKey))),
  };
}

function parse(text: string): ReturnType<typeof parseTrustPolicy> {
  try {
    return parseTrustPolicy(text);
  } catch (error) {
    throw error instanceof PolicyError ? new WitnessListError(error.code, `line ${error.line}`) : error;
  }
}

/** Plain http will do: nothing secret is sent, and what comes back is signed. */
function urlOf({ name, url }: NamedWitness): URL {
  const parsed = url !== null && URL.canParse(url) ? new URL(url) : null;
  const more = parsed && (parsed.username || parsed.password || parsed.search || parsed.hash);
  if (parsed && !more && ['https:', 'http:'].includes(parsed.protocol)) return parsed;
  throw new WitnessListError('URL_UNUSABLE', `witness ${name}`);
}
