/**
 * The verbs of consents (clause 3.1): request, give, refuse, renew, withdraw, invalidate, list. Whatever becomes of a consent
 * ends what was decided about the person before it, so a withdrawal holds for the very next read, whichever server answers
 * it; and of two changes about one person at once, the second sees the first.
 */
import { hash, randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { LookedUp } from '../../gate/change.js';
import { keyOrNone } from '../../gate/facts.js';
import type { Permit } from '../../gate/permit.js';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { distinctKeys } from '../../graphql/keys.js';
import type { Change } from '../../ledger/ledger.js';
import { isSpeakable } from '../../log/canonical.js';
import type { Category, Pseudonym, Purpose } from '../../log/entry.js';
import { CONSENT_BASIS, type ConsentAct, isConsenting, stateOf } from '../../policy/consent.js';
import { refuseUncovered } from '../services/coverage.js';
import { ConsentRow, ConsentVersionRow } from './consent.entity.js';
import { endFault, mayBecome } from './consent.rules.js';
import { type ConsentChange, type ConsentHistory, newest, readConsents } from './history.js';

/** How and where a consent is given, and what the person was shown. */
export interface Giving {
  readonly service: string;
  readonly channel: string;
  /** The exact words. Their digest is kept, and they are not. */
  readonly words: string;
  /** BCP 47: a language, with script or region where that matters. */
  readonly language: string;
  readonly until: Date | null;
}

/** As they were sent. */
export interface Scope {
  readonly purpose: string;
  readonly categories: readonly string[];
}

const LONGEST_WORDS = 10_000;
const LANGUAGE = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/;
/** Who renews it still, gives another. */
const MOST_VERSIONS = 100;

type Said = Pick<ConsentChange, 'channel' | 'service' | 'words' | 'language' | 'until'>;
const NOTHING_SAID: Said = { channel: null, service: null, words: null, language: null, until: null };

/** @throws Refusal; Fault BAD_INPUT, and NO_SUCH_ID for an unknown person */
export async function requestConsent(
  { gate, log }: Context,
  { user, ...scope }: Scope & { readonly user: Pseudonym },
): Promise<ConsentHistory> {
  const categories = scopeOf(scope);
  const data = { subject: user, purpose: scope.purpose, categories };
  const ask = { event: 'consent.requested', operation: 'requestConsent', data } as const;
  const requested = await gate.change<ConsentHistory | null>(ask, async ({ rows }, permit) => {
    const purpose = restingOnConsent(permit, scope.purpose);
    if (!permit.holdings) return noneFound(permit);
    const at = permit.body(ask.event).at;
    const known = await readConsents(rows, log, { subject: user, purpose });
    if (standing(known, categories, new Date(at)) || known.some((one) => isRequested(one, categories))) {
      throw new Fault('BAD_INPUT', { detail: 'Consent to some of "categories" stands, or was requested already.' });
    }
    return write(rows, log, permit, newConsent(user, purpose, categories), 'REQUESTED', NOTHING_SAID);
  });
  if (!requested) throw new Fault('NO_SUCH_ID', { detail: '"user" names nobody.' });
  return requested;
}

/** One's own: requested before, or unasked. @throws Refusal; Fault BAD_INPUT */
export function giveConsent({ gate, actor, log }: Context, { giving, ...scope }: Scope & { readonly giving: Giving }) {
  const categories = scopeOf(scope);
  const said = checkedGiving(giving);
  const data = { subject: actor.id, purpose: scope.purpose, categories };
  const ask = { event: 'consent.given', operation: 'giveConsent', data } as const;
  return gate.change<ConsentHistory>(ask, async ({ rows }, permit) => {
    const purpose = restingOnConsent(permit, scope.purpose);
    const at = new Date(permit.body(ask.event).at);
    await refuseUncovered(rows, giving.service);
    checkEnd(said.until, at);
    const known = await readConsents(rows, log, { subject: actor.id, purpose });
    if (standing(known, categories, at)) {
      throw new Fault('BAD_INPUT', {
        detail: 'Consent to some of "categories" stands: renew it, or withdraw it first.',
      });
    }
    const consent = known.find((one) => isRequested(one, categories)) ?? newConsent(actor.id, purpose, categories);
    return write(rows, log, permit, consent, 'GIVEN', said);
  });
}

/** @throws Refusal; Fault BAD_INPUT, and NO_SUCH_ID for what is no consent of one's own */
export function refuseConsent(context: Context, id: string): Promise<ConsentHistory> {
  return become(context, id, { event: 'consent.refused', operation: 'refuseConsent', act: 'REFUSED' });
}

/** What was withdrawn before stays so, as of then. @throws as of `refuseConsent` */
export function withdrawConsent(context: Context, id: string): Promise<ConsentHistory> {
  return become(context, id, { event: 'consent.withdrawn', operation: 'withdrawConsent', act: 'WITHDRAWN' });
}

/** With the end that it is to have now. @throws as of `refuseConsent` */
export function renewConsent(context: Context, id: string, giving: Giving): Promise<ConsentHistory> {
  const said = checkedGiving(giving);
  return become(context, id, { event: 'consent.renewed', operation: 'renewConsent', act: 'RENEWED' }, said);
}

/** Anybody's, where it turns out never to have been one. @throws as of `refuseConsent` */
export function invalidateConsent(context: Context, id: string): Promise<ConsentHistory> {
  return become(context, id, { event: 'consent.invalidated', operation: 'invalidateConsent', act: 'INVALIDATED' });
}

interface Deed {
  readonly event: `consent.${'refused' | 'withdrawn' | 'renewed' | 'invalidated'}`;
  readonly operation: string;
  readonly act: ConsentAct;
}

/** The role alone decides, and whose it is: nothing else may stand in the way of whoever withdraws. */
async function become(
  { gate, actor, log }: Context,
  id: string,
  { act, ...deed }: Deed,
  said: Said = NOTHING_SAID,
): Promise<ConsentHistory> {
  const changed = await gate.change<ConsentHistory | null>({ ...deed, data: null }, async ({ rows }, permit) => {
    const [consent] = await readConsents(rows, log, { id });
    // Another's is shown alike to none.
    if (!consent || (actor.kind === 'user' && consent.user !== actor.id)) return noneFound(permit);
    const at = new Date(permit.body(deed.event).at);
    const state = stateOf(newest(consent), at);
    if (state === act && act !== 'RENEWED') {
      const lookedUp = permit.body('consent.listed', { subject: consent.user, details: { count: 1 } });
      return { lookedUp, value: consent };
    }
    if (!mayBecome(state, act)) {
      throw new Fault('BAD_INPUT', { detail: `The consent is ${state}, and cannot become ${act}.` });
    }
    if (said.service !== null) await refuseUncovered(rows, said.service);
    checkEnd(said.until, at);
    return write(rows, log, permit, consent, act, said);
  });
  if (!changed) throw new Fault('NO_SUCH_ID', { detail: '"id" names no consent.' });
  return changed;
}

/** That there is none is told, and so entered; whom a client named is not for the log. */
function noneFound(permit: Permit): LookedUp<null> {
  const lookedUp = permit.body('consent.listed', { details: { count: 0 }, asked: undefined, subject: undefined });
  return { lookedUp, value: null };
}

/** @throws Fault BAD_INPUT */
function scopeOf({ categories }: Scope): string[] {
  const distinct = distinctKeys('categories', categories).sort();
  if (distinct.length === 0) throw new Fault('BAD_INPUT', { detail: '"categories" are never none.' });
  return distinct;
}

function checkedGiving({ channel, service, words, language, until }: Giving): Said {
  if (words.trim() === '' || words.length > LONGEST_WORDS || !isSpeakable(words)) {
    throw new Fault('BAD_INPUT', { detail: `"words" are text of 1 to ${LONGEST_WORDS} characters.` });
  }
  if (!LANGUAGE.test(language)) throw new Fault('BAD_INPUT', { detail: '"language" is such as "en" or "pt-BR".' });
  return { channel, service: keyOrNone(service), words: hash('sha256', words, 'hex'), language, until };
}

function checkEnd(until: Date | null, at: Date): void {
  if (endFault(until, at)) throw new Fault('BAD_INPUT', { detail: '"until" is in the future.' });
}

/** Permitted, so it is declared. @throws Fault BAD_INPUT */
function restingOnConsent({ basis }: Permit, purpose: string): Purpose {
  if (basis !== CONSENT_BASIS) throw new Fault('BAD_INPUT', { detail: '"purpose" does not rest on consent.' });
  return purpose as Purpose;
}

/** Consents in force never overlap, so that to withdraw one is to withdraw. */
function standing(known: readonly ConsentHistory[], categories: readonly string[], at: Date): boolean {
  return known.some(
    (one) => isConsenting(newest(one), at) && one.categories.some((category) => categories.includes(category)),
  );
}

function isRequested(consent: ConsentHistory, categories: readonly string[]): boolean {
  return newest(consent).act === 'REQUESTED' && consent.categories.join() === categories.join();
}

function newConsent(user: Pseudonym, purpose: Purpose, categories: readonly string[]): ConsentHistory {
  return { id: randomUUID(), user, purpose, categories: categories as Category[], history: [] };
}

async function write(
  rows: EntityManager,
  log: number,
  permit: Permit,
  consent: ConsentHistory,
  act: ConsentAct,
  { until, words, ...said }: Said,
): Promise<Change<ConsentHistory> | LookedUp<ConsentHistory>> {
  const { id, user, purpose, categories, history } = consent;
  const version = history.length + 1;
  if (version > MOST_VERSIONS) throw new Fault('BAD_INPUT', { detail: 'It was renewed often enough: give another.' });
  const { channel, service, language } = said;
  const body = permit.body(`consent.${act.toLowerCase() as Lowercase<ConsentAct>}`, {
    subject: user,
    purpose,
    asked: categories,
    basis: undefined,
    clause: '3.1',
    details: {
      consent: id,
      version,
      ...(channel && service && words && language && { channel, service, words, language }),
      ...(until && { until: until.toISOString() }),
    },
  });
  const change = { version, act, at: new Date(body.at), ...said, until };
  if (version === 1) {
    await rows.insert(ConsentRow, { log, id, subject: user, purpose, categories: [...categories], entry: body.id });
  }
  const digest = words === null ? null : Buffer.from(words, 'hex');
  const { raw } = await rows
    .createQueryBuilder()
    .insert()
    .into(ConsentVersionRow)
    .values({ ...change, log, consent: id, words: digest, entry: body.id })
    .orIgnore()
    .returning('version')
    .execute();
  if (raw.length === 0) {
    // Somebody was quicker. Their entry makes this one stale, so that it is all done again, on what stands then.
    return { lookedUp: permit.body('consent.listed', { subject: user, details: { count: 1 } }), value: consent };
  }
  return { bodies: [body], value: { ...consent, history: [...history, { ...change, words }] } };
}

/** One's own, which is no disclosure to oneself; none for whoever is no user. */
export function ownConsents(context: Context, args: PageArgs): Promise<Connection<ConsentHistory>> {
  return pageOf(context, args, { subject: context.actor.id });
}

/** A person's for one purpose, to staff who need to know all that it covers. One entry a page, with its count. @throws Refusal */
export async function listConsents(
  context: Context,
  of: { readonly user: Pseudonym; readonly purpose: string },
  args: PageArgs,
): Promise<Connection<ConsentHistory>> {
  const { user, purpose } = of;
  const listed = await pageOf(context, args, { subject: user, purpose: keyOrNone(purpose) });
  const data = { subject: user, purpose, categories: null };
  const ask = { event: 'consent.listed', operation: 'consents', data } as const;
  await context.gate.note(ask, { details: { count: listed.edges.length } });
  return listed;
}

function pageOf(
  { rows, log }: Context,
  args: PageArgs,
  wanted: { readonly subject: Pseudonym; readonly purpose?: string },
): Promise<Connection<ConsentHistory>> {
  return page<ConsentHistory>(
    args,
    ({ id }) => id,
    (after, limit) => readConsents(rows, log, { ...wanted, after, limit }),
  );
}
