/**
 * Grouping: what concurrent requests ask of the database is asked together, by one statement, so that what each statement
 * costs (a round trip; of a writing one, the lock on the log's head and the flush to disk) is paid once for all.
 *
 *     const append = grouping({ send: (items) => …, weight: () => 1, fullGroup: 200, lanes: 1, unanswered: () => new … });
 *     const result = await append(item);
 *
 * Nothing waits for company: a group is whatever came while the one before was under way. A group in which PostgreSQL
 * refuses an item is sent again one by one, so that a bad neighbour harms nobody. One that it refuses for another reason (a
 * lock that somebody holds, a full disk) fails whole, with all that wait behind it: alone each would meet the same.
 */
import { isDefinite, sqlStateOf } from './fault.js';

export interface GroupingOptions<Item, Result> {
  /** Sends a group as one transaction and answers in its order. Called again with the same items after a lost answer. */
  readonly send: (items: readonly Item[]) => Promise<Result[]>;
  /** How much of a full group an item is. */
  readonly weight: (item: Item) => number;
  readonly fullGroup: number;
  /** How many groups are under way at once while more than one full group waits; otherwise one is. */
  readonly lanes: number;
  /** What is thrown at what waited too long, or came when too much waited. */
  readonly unanswered: () => Error;
  /** How much may wait, by weight. */
  readonly most?: number;
  /** Until an item that waits is given up, in milliseconds. */
  readonly patience?: number;
}

const MOST = 10_000;

/** Less than the 5 s after which the log takes a body's time for wrong. */
const PATIENCE = 4_000;

/** Pauses before an answer that was lost is asked for again, in milliseconds. */
const AGAIN = [50, 250];

interface Waiting<Item, Result> {
  readonly item: Item;
  /** By performance.now(). */
  readonly until: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** @throws by the function that it gives: what `send` throws; `unanswered` */
export function grouping<Item, Result>(options: GroupingOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { send, weight, fullGroup, lanes, unanswered, most = MOST, patience = PATIENCE } = options;
  let queue: Waiting<Item, Result>[] = [];
  let waiting = 0;
  let underway = 0;
  let scheduled = false;
  let expiring = false;

  function schedule(): void {
    if (scheduled || queue.length === 0) return;
    if (underway > 0 && (underway >= lanes || waiting <= fullGroup)) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  }

  function flush(): void {
    const group = takeGroup();
    if (group.length === 0) return;
    underway++;
    settle(group, send)
      .then((failure) => {
        if (failure) giveUp(queue.length, failure.error);
      })
      .finally(() => {
        underway--;
        schedule();
      });
    schedule();
  }

  /** The first so many of those that wait. */
  function giveUp(count: number, error: unknown): void {
    for (const { item, reject } of queue.slice(0, count)) {
      waiting -= weight(item);
      reject(error);
    }
    queue = queue.slice(count);
  }

  /** All wait equally long, so those that came first are given up first. */
  function expire(): void {
    const now = performance.now();
    const late = queue.findIndex(({ until }) => until > now);
    giveUp(late < 0 ? queue.length : late, unanswered());
    expiring = false;
    if (queue[0]) expireIn(queue[0].until - now);
  }

  function takeGroup(): Waiting<Item, Result>[] {
    let taken = 0;
    let sum = 0;
    while (taken < queue.length && (taken === 0 || sum + weight(queue[taken]!.item) <= fullGroup)) {
      sum += weight(queue[taken]!.item);
      taken++;
    }
    const group = queue.slice(0, taken);
    queue = queue.slice(taken);
    waiting -= sum;
    return group;
  }

  function expireIn(ms: number): void {
    expiring = true;
    setTimeout(expire, ms).unref();
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting + weight(item) > most && queue.length > 0) return reject(unanswered());
      queue.push({ item, until: performance.now() + patience, resolve, reject });
      waiting += weight(item);
      if (!expiring) expireIn(patience);
      schedule();
    });
}

/** Never rejects. @returns why a group failed whole */
async function settle<Item, Result>(
  group: readonly Waiting<Item, Result>[],
  send: GroupingOptions<Item, Result>['send'],
): Promise<{ readonly error: unknown } | null> {
  try {
    const results = await answered(group, send);
    group.forEach(({ resolve }, at) => {
      resolve(results[at]!);
    });
    return null;
  } catch (error) {
    const ofItem = isOfItem(error);
    if (group.length === 1 || !ofItem) {
      for (const { reject } of group) reject(error);
      return ofItem ? null : { error };
    }
    for (const [at, one] of group.entries()) {
      const failure = await settle([one], send);
      if (!failure) continue;
      for (const { reject } of group.slice(at + 1)) reject(failure.error);
      return failure;
    }
    return null;
  }
}

/** SQLSTATE classes 22 and 23, and ours: what was sent is wrong, and others may be right. */
function isOfItem(error: unknown): boolean {
  return /^(2[23]|AL)/.test(sqlStateOf(error) ?? '');
}

/** What is sent is idempotent by id, so a lost answer is asked for by sending it again, as is what was in others' way. */
async function answered<Item, Result>(
  group: readonly Waiting<Item, Result>[],
  send: GroupingOptions<Item, Result>['send'],
): Promise<Result[]> {
  const items = group.map(({ item }) => item);
  for (const pause of AGAIN) {
    try {
      return await send(items);
    } catch (error) {
      if (isDefinite(error) || performance.now() > group[0]!.until) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return send(items);
}
