/**
 * A setting is one environment variable: what it means, what holds without it, and how its text is read.
 */
export interface Setting<T> {
  readonly meaning: string;
  /** Read as if it were set. */
  readonly default?: string;
  /** What holds without it, where that is no text. */
  readonly absent?: string;
  /** @throws SettingFault */
  readonly parse: (text: string) => T;
}

/** What is wrong with a text and what would be right, to follow the setting's name. It never repeats the text. */
export class SettingFault extends Error {
  override readonly name = 'SettingFault';
}

export function text(given: string): string {
  if (given !== given.trim()) throw new SettingFault('begins or ends with white space: remove it');
  return given;
}

export function count(least: number, most: number): (given: string) => number {
  return (given) => {
    const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new SettingFault(`is no whole number from ${least} to ${most}`);
  };
}

export function choice<T extends string>(...words: readonly T[]): (given: string) => T {
  return (given) => {
    const word = words.find((one) => one === given);
    if (word) return word;
    throw new SettingFault(`is none of ${words.join(', ')}`);
  };
}

export function host(given: string): string {
  if (!/^[\w.:-]+$/.test(given))
    throw new SettingFault('is no host name or address: localhost, or 0.0.0.0 for every interface');
  return given;
}

/** What `pg` takes. A URL's password may be anything, so no part of it is ever repeated. */
export function databaseUrl(given: string): string {
  const { protocol, searchParams } = url(given, 'postgres://user:password@host:5432/database');
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new SettingFault('is no PostgreSQL URL: it begins with postgres://');
  }
  const ours = [...searchParams.keys()].find((name) => OURS.has(name.toLowerCase()));
  if (ours !== undefined)
    throw new SettingFault(`sets ${ours.toLowerCase()}, which is for the server to set: remove it`);
  return given;
}

/** What would stand before the role, the search path and the timeouts that our connections start with. */
const OURS: ReadonlySet<string> = new Set([
  'options',
  'replication',
  'client_encoding',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
]);

/** OpenID Connect Discovery 1.0, section 2: no query, no fragment. Without TLS only where nothing leaves the machine. */
export function issuer(given: string): string {
  const { protocol, hostname, search, hash, username, password } = url(given, 'https://login.example.org');
  if (search || hash || username || password)
    throw new SettingFault('has a query, a fragment or a password: an issuer has none');
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return given;
  throw new SettingFault('is not https: only an issuer on this machine may be plain http');
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/;
const SEGMENT = /^[A-Za-z0-9._~!$&'()*,;=:@%-]+$/;

/** C2SP tlog-checkpoint: the origin is a schema-less URL; signed-note: a key's name has no space and no plus. */
export function origin(given: string): string {
  const [authority = '', ...path] = given.split('/');
  if (given.length <= 255 && HOST.test(authority) && path.every((segment) => SEGMENT.test(segment))) return given;
  throw new SettingFault(
    'is no log origin: a host and a path without scheme, space or plus, such as log.example.org/access',
  );
}

function url(given: string, example: string): URL {
  if (text(given) && URL.canParse(given)) return new URL(given);
  throw new SettingFault(`is no URL such as ${example}`);
}
