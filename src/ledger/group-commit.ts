/**
 * Group commit: what concurrent requests ask to write is written together, in one transaction, so that the lock on the
 * log's head and the flush to disk are paid once for all.
 *
 * Nothing waits for company: a group is whatever came while the one before was written. A group that PostgreSQL refuses is
 * written again one by one, so that a bad neighbour harms nobody.
 */
import { isDefinite } from '../database/fault.js';

export interface GroupOptions<Item, Result> {
  /** Writes a group in one transaction and answers in its order. Called again with the same items after a lost answer. */
  readonly write: (items: readonly Item[]) => Promise<Result[]>;
  /** How much of a full group an item is. */
  readonly weight: (item: Item) => number;
  readonly fullGroup: number;
  /** How many groups are written at once while more than one full group waits; otherwise one is. */
  readonly lanes: number;
}

/** Pauses before an answer that was lost is asked for again, in milliseconds. */
const AGAIN = [50, 250];

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export function groupCommit<Item, Result>(options: GroupOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { weight, fullGroup, lanes } = options;
  let queue: Waiting<Item, Result>[] = [];
  let waiting = 0;
  let writing = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || queue.length === 0) return;
    if (writing > 0 && (writing >= lanes || waiting <= fullGroup)) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  }

  function flush(): void {
    const group = takeGroup();
    if (group.length === 0) return;
    writing++;
    settle(group, options.write).finally(() => {
      writing--;
      schedule();
    });
    schedule();
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

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      waiting += weight(item);
      schedule();
    });
}

async function settle<Item, Result>(
  group: readonly Waiting<Item, Result>[],
  write: GroupOptions<Item, Result>['write'],
): Promise<void> {
  try {
    const results = await written(
      group.map(({ item }) => item),
      write,
    );
    group.forEach(({ resolve }, at) => {
      resolve(results[at]!);
    });
  } catch (error) {
    if (group.length === 1 || !isDefinite(error)) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const one of group) await settle([one], write);
  }
}

/** What is sent is idempotent by id, so a lost answer is asked for by sending it again. */
async function written<Item, Result>(
  items: readonly Item[],
  write: GroupOptions<Item, Result>['write'],
): Promise<Result[]> {
  for (const pause of AGAIN) {
    try {
      return await write(items);
    } catch (error) {
      if (isDefinite(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return write(items);
}
