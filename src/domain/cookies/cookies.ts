/**
 * The verbs of declared cookies (clause 4.2): declare one, list them, list what degrades without them. Declared cookies are
 * nobody's data, so looking at them makes no entry.
 */
import { keyOrNone } from '../../gate/facts.js';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { isSpeakable } from '../../log/canonical.js';
import { declareOnce, insertOnce, StandsAlready } from '../purposes/declared-once.js';
import { refuseUncovered } from '../services/coverage.js';
import type { CookieCategory } from './cookie.rules.js';

export interface CookieDeclaration {
  /** The key of an enrolled service. */
  readonly service: string;
  readonly name: string;
  readonly category: CookieCategory;
  /** The function of the service that works less well without it; null where none does, as of every essential one. */
  readonly degrades: string | null;
}

export interface DegradedFunction {
  readonly function: string;
  /** Names, sorted. */
  readonly cookies: readonly string[];
}

export interface DegradedService {
  readonly key: string;
  readonly title: string;
  readonly functions: readonly DegradedFunction[];
}

/** As much of RFC 6265's names as is in use. */
const NAME = /^[A-Za-z0-9_.-]{1,50}$/;
const LONGEST_FUNCTION = 200;
const MOST_COOKIES = 200;

/** What can be a cookie's name at all. Other text never reaches the database. */
export function nameOrNone(text: string): string {
  return NAME.test(text) ? text : '';
}

/** Unless it stands so. @throws DeclaredDifferently, Refusal */
export function declareCookieOnce(context: Pick<Context, 'gate' | 'rows'>, cookie: CookieDeclaration): Promise<void> {
  const { service, name, category, degrades } = cookie;
  const key = `${service} ${name}`;
  return declareOnce({
    kind: 'cookie',
    wanted: { key, category, degrades },
    read: async () => {
      const [stands] = await context.rows.query(
        'SELECT c.category, c.degrades FROM registry.cookie c WHERE c.service = $1 AND c.name = $2',
        [service, name],
      );
      return stands ? { key, ...stands } : null;
    },
    declare: () => declare(context, cookie),
  });
}

/** @throws Refusal; Fault BAD_INPUT, ALREADY_REGISTERED */
export async function declareCookie(context: Context, cookie: CookieDeclaration): Promise<CookieDeclaration> {
  const { name, category, degrades } = cookie;
  if (nameOrNone(name) === '') {
    throw new Fault('BAD_INPUT', { detail: '"name" is 1 to 50 letters, digits, underscores, dots and hyphens.' });
  }
  if (degrades !== null) {
    if (category === 'ESSENTIAL') {
      throw new Fault('BAD_INPUT', { detail: '"degrades" is null for what is essential, which nobody rejects.' });
    }
    if (degrades.trim() === '' || degrades.length > LONGEST_FUNCTION || !isSpeakable(degrades)) {
      throw new Fault('BAD_INPUT', { detail: `"degrades" is text of 1 to ${LONGEST_FUNCTION} characters.` });
    }
  }
  try {
    await declare(context, cookie);
  } catch (error) {
    if (!(error instanceof StandsAlready)) throw error;
    throw new Fault('ALREADY_REGISTERED', { detail: '"name" is that of a declared cookie of the service.' });
  }
  return cookie;
}

/** @throws StandsAlready, Refusal; Fault BAD_INPUT */
function declare({ gate }: Pick<Context, 'gate'>, cookie: CookieDeclaration): Promise<void> {
  const { service, name, category, degrades } = cookie;
  const ask = { event: 'cookie.declared', operation: 'declareCookie', data: null } as const;
  return gate.change(ask, async ({ rows }, permit) => {
    await refuseUncovered(rows, service);
    const [{ count }] = await rows.query('SELECT count(*)::int AS count FROM registry.cookie c WHERE c.service = $1', [
      service,
    ]);
    if (count >= MOST_COOKIES) {
      throw new Fault('BAD_INPUT', { detail: `A service declares at most ${MOST_COOKIES} cookies.` });
    }
    const body = permit.body(ask.event, { details: { service, cookie: name, category } });
    await insertOnce(rows, 'cookie', { service, name, category, degrades, entry: body.id });
    return { bodies: [body], value: undefined };
  });
}

/** A page of what a service has declared, by name; an empty one for a service that is not enrolled. */
export function listCookies(
  { rows }: Pick<Context, 'rows'>,
  service: string,
  args: PageArgs,
): Promise<Connection<CookieDeclaration>> {
  return page<CookieDeclaration>(
    args,
    // In hexadecimal digits, which cursors take whatever the name is, and which are in the order of the bytes.
    ({ name }) => Buffer.from(name).toString('hex'),
    (after, limit) =>
      rows.query(
        `SELECT c.service, c.name, c.category, c.degrades FROM registry.cookie c
         WHERE c.service = $1 AND c.name COLLATE "C" > $2 ORDER BY c.name COLLATE "C" LIMIT $3`,
        [keyOrNone(service), nameOfCursor(after ?? ''), limit],
      ),
    (key) => nameOrNone(nameOfCursor(key)) !== '',
  );
}

function nameOfCursor(key: string): string {
  return Buffer.from(key, 'hex').toString('latin1');
}

/** A page of the services of which something works less well for who rejects cookies, by key, with what it is. */
export function listDegraded({ rows }: Pick<Context, 'rows'>, args: PageArgs): Promise<Connection<DegradedService>> {
  return page<DegradedService>(
    args,
    ({ key }) => key,
    (after, limit) =>
      rows.query(
        `SELECT s.key, s.title, (SELECT json_agg(f ORDER BY f.function COLLATE "C") FROM (
             SELECT c.degrades AS function, json_agg(c.name ORDER BY c.name COLLATE "C") AS cookies
             FROM registry.cookie c WHERE c.service = s.key AND c.degrades IS NOT NULL GROUP BY c.degrades) f) AS functions
         FROM registry.service s
         WHERE s.key COLLATE "C" > $1
           AND EXISTS (SELECT FROM registry.cookie c WHERE c.service = s.key AND c.degrades IS NOT NULL)
         ORDER BY s.key COLLATE "C" LIMIT $2`,
        [after ?? '', limit],
      ),
    (key) => keyOrNone(key) !== '',
  );
}
