/**
 * An asker is one operation on behalf of one actor: what every entry says of who asked, and where the entries it causes
 * are gathered for the response.
 */
import { entryId } from '../ledger/entry-id.js';
import type { Actor, Body, Entry, PermittedBody, RefusedBody } from '../log/entry.js';
import { EVENTS, type EventName } from '../log/event.js';
import { POLICY } from '../policy/policy.js';
import type { Refused } from '../policy/refusal.js';

export interface Asker {
  readonly actor: Actor;
  /** The id we gave the request. */
  readonly request: string;
  now(): Date;
  /** What the operation has caused so far: `extensions.ledger.entries`. */
  readonly entries: Entry[];
}

/** Records named by one entry at most: about 110 bytes each, well under the limit of a leaf. */
export const RECORDS_PER_ENTRY = 400;

/** What one entry says besides who asked, and when. */
export type Particulars = Partial<
  Pick<PermittedBody, 'subject' | 'purpose' | 'basis' | 'asked' | 'records' | 'clause' | 'details'>
> & {
  readonly asOf: number;
  /** When it was decided: the entry says the same. */
  readonly at: Date;
  readonly event: EventName;
  /** The name of our root field. */
  readonly operation: string;
};

export function permittedBody(asker: Asker, said: Particulars): PermittedBody {
  return { ...common(asker, said), outcome: 'permitted' };
}

export function refusedBody(asker: Asker, said: Particulars, { code, clause, missing }: Refused): RefusedBody {
  return { ...common(asker, { ...said, clause }), outcome: 'refused', refusal: { code, missing } };
}

function common({ actor, request }: Asker, said: Particulars): Omit<Body, 'outcome' | 'refusal'> {
  return {
    clause: EVENTS[said.event].clause,
    ...said,
    id: entryId(said.at),
    at: said.at.toISOString(),
    actor,
    policy: POLICY,
    request,
  };
}
