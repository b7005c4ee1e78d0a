/**
 * A live log is one that a server publishes, as C2SP tlog-tiles has it: its newest checkpoint, hash tiles, and the leaves
 * in bundles. Nothing of it is believed here. What the log does not serve is null, which says something of the log; a
 * server that does not answer says nothing.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { MAX_LEAF_BYTES } from '../log/leaf.js';
import {
  type Bundle,
  formatBundlePath,
  formatTilePath,
  parseBundle,
  TILE_WIDTH,
  type Tile,
  type Tiles,
} from '../log/tile.js';
import { HASH_BYTES } from '../log/tree.js';
import { CommandFault } from './fault.js';

export interface LiveLog extends Tiles {
  readonly url: URL;
  /** A signed note, by whomever. */
  checkpoint(): Promise<string>;
  /** Null where it is not served with at least so many hashes. */
  tile(tile: Tile): Promise<Uint8Array | null>;
  /** The leaves, fewer where no more are served. */
  leaves(bundle: Bundle): Promise<readonly Uint8Array[]>;
  /** Whether leaves may be read: by whoever has this token, or by anybody where none was given. */
  opens(bundle: Bundle): Promise<boolean>;
}

/** Hashes that a signed checkpoint covers are not there: the server answers, and does not have them. */
export class NotServed extends CommandFault {}

/** The caller's token is missing, or not good for what was asked. */
class Closed extends CommandFault {}

const PATIENCE_MS = 30_000;
/** Before each further attempt. */
const PAUSES_MS = [200, 1_000];
/** How long a server may have us wait that has had too much of us, in seconds. */
const MAX_WAIT = 65;
const MAX_NOTE_BYTES = 3_000_000;
const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_LEAF_BYTES);

/** @returns null for what is no URL of a log. A path is kept: a log may be one of several */
export function parseLogUrl(text: string): URL | null {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (!url || url.username || url.search || url.hash) return null;
  url.pathname = url.pathname.replace(/\/*$/, '/');
  return url;
}

/** Of the environment where no option says. @throws CommandFault */
export function tokenOf(option: string | undefined): string | null {
  const token = option ?? process.env.ACCESS_LEDGER_TOKEN;
  if (token === undefined || token === '') return null;
  if (/^[\w.~+/=-]+$/.test(token)) return token;
  throw new CommandFault('--token is no token');
}

export function openLiveLog(url: URL, token: string | null): LiveLog {
  async function get(path: string, most: number, secret = false): Promise<Uint8Array | null> {
    for (let failed = 0; ; ) {
      const answer = await attempt(path, most, secret);
      if (answer.status === 200) return answer.bytes;
      if (answer.status === 404) return null;
      if (answer.status === 401 || answer.status === 403) throw new Closed(closed(answer.status));
      if (answer.status === 429 && answer.retryAfter > 0 && answer.retryAfter <= MAX_WAIT) {
        await wait(answer.retryAfter * 1_000);
        continue;
      }
      const pause = PAUSES_MS[failed++];
      if (pause === undefined) {
        const says = answer.status === 0 ? 'does not answer' : `answers with status ${answer.status}`;
        throw new CommandFault(`${url.href}${path}: the server ${says}`, { cause: answer.cause });
      }
      await wait(pause);
    }
  }

  /** Status 0: no answer, or one that broke off. */
  async function attempt(path: string, most: number, secret: boolean) {
    try {
      const response = await fetch(new URL(path, url), {
        headers: secret && token !== null ? { authorization: `Bearer ${token}` } : {},
        // A token is for this server and for no other.
        redirect: secret ? 'error' : 'follow',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const retryAfter = Number(response.headers.get('retry-after'));
      const bytes = await bytesOf(response, most);
      return { status: bytes ? response.status : 0, bytes, retryAfter, cause: null };
    } catch (cause) {
      return { status: 0, bytes: null, retryAfter: 0, cause };
    }
  }

  function closed(status: number): string {
    if (token === null) return `${url.href}: the leaves need --token`;
    return status === 401
      ? `${url.href}: the server does not take this token: it may have expired`
      : `${url.href}: the token is not a security reviewer's`;
  }

  /** The full one, where the partial one is no longer served (C2SP tlog-tiles). */
  async function place(path: (width: number) => string, width: number, most: number, secret: boolean) {
    const bytes = await get(path(width), most, secret);
    return bytes === null && width < TILE_WIDTH ? get(path(TILE_WIDTH), most, secret) : bytes;
  }

  async function tile({ level, index, width }: Tile): Promise<Uint8Array | null> {
    const path = (wide: number) => formatTilePath({ level, index, width: wide });
    const hashes = await place(path, width, TILE_WIDTH * HASH_BYTES, false);
    return hashes && hashes.length >= width * HASH_BYTES ? hashes.subarray(0, width * HASH_BYTES) : null;
  }

  async function leaves({ index, width }: Bundle): Promise<readonly Uint8Array[]> {
    const bytes = await place((wide) => formatBundlePath({ index, width: wide }), width, MAX_BUNDLE_BYTES, true);
    return bytes ? wholeLeaves(bytes).slice(0, width) : [];
  }

  return {
    url,
    tile,
    leaves,
    async checkpoint() {
      const bytes = await get('checkpoint', MAX_NOTE_BYTES);
      if (!bytes) throw new CommandFault(`${url.href}: there is no log, or none with a checkpoint yet`);
      return new TextDecoder().decode(bytes);
    },
    async read(tiles) {
      const read = await Promise.all(tiles.map(tile));
      return read.map((hashes, nth) => {
        if (hashes) return hashes;
        throw new NotServed(`${url.href}: the log does not serve ${formatTilePath(tiles[nth]!)}, which it has to`);
      });
    },
    async opens(bundle) {
      if (token !== null) return true;
      try {
        await leaves(bundle);
        return true;
      } catch (error) {
        if (error instanceof Closed) return false;
        throw error;
      }
    },
  };
}

/** @returns null where there are more than `most` */
async function bytesOf(response: Response, most: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length > most) return null;
  }
  return Buffer.concat(chunks);
}

/** What stands whole at the beginning of a bundle that may have been cut. */
function wholeLeaves(bytes: Uint8Array): readonly Uint8Array[] {
  const whole = parseBundle(bytes);
  if (whole) return whole;
  let end = 0;
  for (let at = 0; at + 2 <= bytes.length && at <= bytes.length; ) {
    at += 2 + bytes[at]! * 256 + bytes[at + 1]!;
    if (at <= bytes.length) end = at;
  }
  return parseBundle(bytes.subarray(0, end)) ?? [];
}
