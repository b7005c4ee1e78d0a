/**
 * Links decides which link each entry has, and thereby what may be believed: an entry is as it was written if its leaf
 * hashes to its link. Who says what the link is, in the order in which they are believed:
 *
 *     followed   a row of this index hashes to it, and the next entry follows it
 *     said       the next entry follows it, though no row here hashes to it: the row was edited or replaced
 *     own        no next entry tells; a row hashes to the link beside it
 *     guessed    nothing tells: what stands beside an edited leaf, or what it hashes to
 *
 * But evidence about exactly this entry picks the one that it agrees with. So damage stays at its place.
 */
import { Breaks } from './breaks.js';
import { hexBytes } from './bytes.js';
import type { Claims, Standing } from './claim.js';
import { DeedWriter } from './deeds.js';
import { type Findings, findingAt } from './finding.js';
import type { Histories } from './history.js';
import { GENESIS, isLink, type Link, type LogIndex } from './leaf.js';
import type { Slot } from './order.js';
import { agrees, editedFinding, isWhole, type Reading } from './reading.js';
import { type Run, readingAt } from './run.js';
import { Frontier, HASH_BYTES, type Hash } from './tree.js';

interface Candidate {
  readonly link: Link;
  readonly sure: boolean;
}

export class Links {
  private readonly breaks: Breaks;
  private tree: Frontier | null;
  /** Whether no link in the tree was guessed. */
  private sure = true;
  /** How many entries are settled. */
  private size: number;
  /** Settled once the next has told what it follows. */
  private last: Slot | null = null;
  /** The entry at this index follows what was never there. */
  private refuted = -1;
  /** From here on each entry is believed to follow the one before. */
  private unbroken: number;
  private readonly single = new DeedWriter();

  constructor(
    private readonly claims: Claims,
    /** Null where they are not checked. */
    private readonly histories: Histories | null,
    private readonly findings: Findings,
    /** Of the entries before the first that is read, whose leaves nobody looks at. */
    start = new Frontier(),
  ) {
    this.breaks = new Breaks(findings);
    this.tree = start.clone();
    this.size = start.size;
    this.unbroken = start.size;
    if (start.size > 0) histories?.skip(0, start.size - 1);
    if (claims.awaits(start.size)) claims.hold(this.standing(null));
  }

  take(slot: Slot): void {
    if (this.last) this.settle(this.last, slot);
    this.last = slot;
  }

  /**
   * Takes all entries of a run but its last, of whose index there may be more rows; and so the one before that, which they
   * may follow as well, is not settled yet.
   */
  takeRun(run: Run): void {
    const { first, deeds } = run;
    const settled = deeds.length - 2;
    if (this.last) this.settle(this.last, slotAt(run, 0));
    const isUndisturbed =
      this.size === first && this.refuted !== first && !this.claims.awaitsAny(first + 1, first + settled);
    if (isUndisturbed) this.growBy(run, settled);
    else for (let at = 0; at < settled; at++) this.settle(slotAt(run, at), slotAt(run, at + 1));
    this.last = slotAt(run, settled);
  }

  /** Each of the first entries of a run has the link that the next one follows. */
  private growBy({ first, links, deeds }: Run, count: number): void {
    const histories = this.histories;
    this.tree?.appendAll(links.subarray(0, HASH_BYTES * count));
    if (histories) for (let at = 0; at < count; at++) histories.take((first + at) as LogIndex, deeds, at);
    this.size = first + count;
  }

  /** There are no more entries. */
  end(): void {
    if (this.last) this.settle(this.last, null);
    this.breaks.end();
  }

  /** Of all entries; null where it cannot be known. */
  root(): Hash | null {
    return this.tree && this.sure ? this.tree.root() : null;
  }

  private settle(slot: Slot, next: Slot | null): void {
    const { index, rows } = slot;
    const said = next?.index === index + 1 ? prevsOf(next) : NONE;
    if (index > this.size) this.pass(slot, said);
    if (index === 0) this.begin(rows);
    const candidate = this.pick(candidatesOf(rows, said), index + 1);
    const row = rows.find((one) => one.hash === candidate?.link && one.place?.index === index) ?? null;
    const believed = index === this.refuted ? null : row;
    this.findEdited(slot, said);
    this.findOthers(slot, row);
    this.findBreak(slot, said, candidate);
    if (!believed) this.unbroken = index + 1;
    this.grow(index + 1, candidate);
    if (this.histories && believed?.deed) {
      this.single.clear();
      this.single.add(believed.place!.history, believed.deed);
      this.histories.take(index as LogIndex, this.single, 0, believed.changes);
    } else this.histories?.skip(index, index);
  }

  /** Before the first entry there is nothing, whose link is known. */
  private begin(rows: Slot['rows']): void {
    const prevs = rows.filter(isWhole).map(({ place }) => place.prev);
    if (prevs.length === 0 || prevs.includes(GENESIS)) return;
    this.breaks.refute(0, GENESIS, prevs[0]!);
    this.refuted = 0;
  }

  /** Entries are missing before this one, which tells the link of the last of them. */
  private pass({ index, rows }: Slot, said: readonly Link[]): void {
    const whole = rows.filter(isWhole);
    const teller = whole.find(({ hash }) => said.includes(hash)) ?? whole[0];
    if (index - this.size > 1) this.tree = null;
    this.histories?.skip(this.size, index - 1);
    this.unbroken = index;
    this.grow(index, teller ? { link: teller.place.prev, sure: true } : null);
  }

  private pick(candidates: readonly Candidate[], size: number): Candidate | null {
    const [first = null] = candidates;
    if ((candidates.length > 1 || first?.sure === false) && this.claims.awaits(size)) {
      const agreed = candidates.find((one) => this.claims.wouldMeet(this.standing(one, this.treeWith(one))));
      if (agreed) return { link: agreed.link, sure: true };
    }
    return first;
  }

  private treeWith({ link }: Candidate): Frontier | null {
    const tree = this.tree?.clone() ?? null;
    tree?.append(hexBytes(link) as Hash);
    return tree;
  }

  /** Lets the tree grow by an entry, null where its link is not known, and holds the evidence against it. */
  private grow(size: number, candidate: Candidate | null): void {
    this.size = size;
    if (candidate === null) this.tree = null;
    else this.tree?.append(hexBytes(candidate.link) as Hash);
    if (candidate?.sure === false) this.sure = false;
    if (!this.claims.awaits(size)) return;
    const met = this.claims.hold(this.standing(candidate));
    if (met.root) {
      this.sure = true;
      this.breaks.proveAll();
    } else if (met.link) this.breaks.prove(this.unbroken);
  }

  private standing(link: Candidate | null, tree = this.tree): Standing {
    return {
      link: link && { value: link.link, sure: link.sure },
      root: tree && { value: tree.root(), sure: this.sure },
    };
  }

  private findEdited({ rows }: Slot, said: readonly Link[]): void {
    for (const row of rows) if (!agrees(row)) this.findings.add(editedFinding(row, said));
  }

  private findOthers({ index, rows }: Slot, row: Reading | null): void {
    const others = rows.length - 1;
    if (others === 0) return;
    const found = `${others} more${row ? '' : ', and none that the next follows'}`;
    this.findings.add(findingAt('CHAIN_BROKEN', index, `one row of entry ${index}`, found));
  }

  private findBreak({ index, rows }: Slot, said: readonly Link[], candidate: Candidate | null): void {
    const [follows] = said;
    if (!follows || rows.some(({ hash }) => said.includes(hash))) return;
    const own = rows.filter(agrees);
    if (!own[0]) return;
    if (own.some(({ hash }) => hash === candidate?.link)) {
      this.breaks.refute(index + 1, candidate!.link, follows);
      this.refuted = index + 1;
    } else this.breaks.add(index + 1, own[0].hash, follows);
  }
}

const NONE: readonly Link[] = [];

function slotAt(run: Run, at: number): Slot {
  return { index: run.first + at, rows: [readingAt(run, at)] };
}

/** What the rows of an entry follow. */
function prevsOf({ rows }: Slot): readonly Link[] {
  const [first] = rows;
  if (rows.length === 1) return isWhole(first) ? [first.place.prev] : NONE;
  return rows.filter(isWhole).map(({ place }) => place.prev);
}

function candidatesOf(rows: Slot['rows'], said: readonly Link[]): Candidate[] {
  const [first] = rows;
  if (rows.length === 1 && agrees(first) && (said.length === 0 || (said.length === 1 && said[0] === first.hash))) {
    return [{ link: first.hash, sure: true }];
  }
  const followed = rows.filter(({ hash }) => said.includes(hash)).map(({ hash }) => hash);
  const own = rows.filter(agrees).map(({ hash }) => hash);
  const guessed = own.length > 0 ? [] : isLink(first.link) ? [first.link, first.hash] : [first.hash];
  return [
    ...[...followed, ...said, ...own].map((link) => ({ link, sure: true })),
    ...guessed.map((link) => ({ link, sure: false })),
  ];
}
