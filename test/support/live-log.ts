/**
 * A log as anybody may publish it (C2SP tlog-tiles), over HTTP and out of memory: what a test puts there is what it serves,
 * true or not.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hexBytes } from '../../src/log/bytes.js';
import { signCheckpoint } from '../../src/log/checkpoint.js';
import { type SigningKey, signingKey } from '../../src/log/note-key.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { formatBundle, lengthOfLevel, parseTilePath, TILE_WIDTH } from '../../src/log/tile.js';
import { Frontier, type Hash, nodeHash } from '../../src/log/tree.js';

export const KEY = signingKey('ledger.example.com/live', new Uint8Array(32).fill(5));

export interface TestLiveLog {
  readonly url: string;
  /** What was asked for, in order. */
  readonly asked: string[];
  /** Null: anybody reads leaves. */
  token: string | null;
  note: string;
  /** Instead of what it would serve at a path: bytes, or a status. */
  readonly instead: Map<string, Uint8Array | number>;
  /** Serves these entries, under a checkpoint of all of them. */
  serve(entries: readonly StoredEntry[], key?: SigningKey): void;
  close(): Promise<void>;
}

export async function startLiveLog(): Promise<TestLiveLog> {
  let entries: readonly StoredEntry[] = [];
  let levels: Hash[][] = [];

  function bytesAt(path: string): Uint8Array | null {
    if (path === 'checkpoint') return Buffer.from(log.note);
    const place = parseTilePath(path);
    if (!place) return null;
    const first = place.index * TILE_WIDTH;
    const { level } = place;
    if (level === 'entries') {
      const bundled = entries.slice(first, first + place.width);
      return bundled.length === place.width ? formatBundle(bundled.map(({ leaf }) => leaf)) : null;
    }
    if (first + place.width > lengthOfLevel(level, entries.length)) return null;
    return Buffer.concat(levels[8 * level]!.slice(first, first + place.width));
  }

  const server = createServer((request, response) => {
    const path = request.url!.slice(1);
    log.asked.push(path);
    const secret = path.startsWith('tile/entries/') && log.token !== null;
    if (secret && request.headers.authorization !== `Bearer ${log.token}`) return void response.writeHead(401).end();
    const answer = log.instead.get(path) ?? bytesAt(path) ?? 404;
    if (typeof answer === 'number') return void response.writeHead(answer).end();
    response.writeHead(200).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const log: TestLiveLog = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    token: null,
    note: '',
    instead: new Map(),
    serve(served, key = KEY) {
      entries = served;
      levels = [served.map(({ link }) => hexBytes(link) as Hash)];
      for (let level = levels[0]!; level.length > 1; levels.push(level)) level = halved(level);
      const tree = new Frontier();
      for (const hash of levels[0]!) tree.append(hash);
      log.note = signCheckpoint({ origin: key.name, size: served.length, root: tree.root() }, key);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return log;
}

/** Of each pair, the node above; a last one alone has none. */
function halved(hashes: readonly Hash[]): Hash[] {
  return Array.from({ length: hashes.length >> 1 }, (_, nth) => nodeHash(hashes[2 * nth]!, hashes[2 * nth + 1]!));
}
