/**
 * The verbs by which reviewers have a server verify its log, and see what came of it.
 *
 * What is an entry: the request, `log.verified`, before anything is read for it, and in the same transaction as the job. To
 * look how far it is, or what came of it, is to read the log: part of a reading session, one entry an hour however often
 * somebody asks, or a log would grow by being waited for. The verdict is no entry. It is what our server says of our log, and
 * worth as much; who wants to hold a verdict against us verifies elsewhere.
 */
import { randomUUID } from 'node:crypto';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { hintOfRequest, requestVerification } from '../../ledger/verifications.js';
import { readEvidence, type SentEvidence } from './held-evidence.js';
import { readingSession } from './reading-session.js';
import { VERIFICATION_COLUMNS, type Verification } from './verification.entity.js';

/** @throws Refusal, with its entry; Fault BAD_INPUT, TOO_MANY_VERIFICATIONS */
export async function verifyLog(
  { actor, gate, log, logKey, rows }: Context,
  sent: SentEvidence,
): Promise<Verification> {
  const id = randomUUID();
  const ask = { event: 'log.verified', operation: 'verifyLog', data: null } as const;
  await gate.change<null>(ask, async (tx, permit) => {
    const evidence = readEvidence(sent, logKey);
    const body = permit.body(ask.event, { details: { verification: id } });
    const request = { ...evidence, id, log, entry: body.id, reviewer: actor.id };
    if (!(await requestVerification(tx, request))) throw new Fault('TOO_MANY_VERIFICATIONS');
    return { bodies: [body], value: null };
  });
  hintOfRequest();
  const [made] = await rows.query(VERIFICATION, [log, id]);
  return made;
}

const VERIFICATION = `SELECT ${VERIFICATION_COLUMNS} FROM ledger.verification v WHERE v.log = $1 AND v.id = $2`;

/** Null where there is none. @throws Refusal, with its entry */
export async function verificationAt(context: Context, id: string | null): Promise<Verification | null> {
  await readingSession(context, 'verification');
  if (id === null) return null;
  const [found] = await context.rows.query(VERIFICATION, [context.log, id]);
  return found ?? null;
}

/** Of all reviewers, newest first. @throws Refusal, with its entry; Fault BAD_INPUT */
export async function allVerifications(context: Context, args: PageArgs): Promise<Connection<Verification>> {
  await readingSession(context, 'verifications');
  const { log, rows } = context;
  return page<Verification>(
    args,
    ({ id }) => id,
    (after, limit) =>
      rows.query(
        `SELECT ${VERIFICATION_COLUMNS} FROM ledger.verification v
         WHERE v.log = $1${
           after === null
             ? ''
             : ` AND (v.requested_at, v.id) < (
           SELECT a.requested_at, a.id FROM ledger.verification a WHERE a.log = $1 AND a.id = $3)`
}
         ORDER BY v.requested_at DESC, v.id DESC LIMIT $2`,
        [log, limit, ...(after === null ? [] : [after])],
      ),
  );
}
