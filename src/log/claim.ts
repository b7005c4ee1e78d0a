/**
 * A claim is what somebody outside says of a log: that its first `size` entries had this root, or that the last of
 * them had this link. A link commits to all before it as a root does, so both vouch for the same: every entry below
 * `size`.
 */
import { equal, toBase64 } from './bytes.js';
import type { Finding, Findings } from './finding.js';
import type { IndexRange } from './indices.js';
import type { Link } from './leaf.js';
import type { Hash } from './tree.js';

export interface Claim {
  readonly size: number;
  readonly says: { readonly root: Hash } | { readonly link: Link };
  /** Who claims it, in words for the verdict. */
  readonly by: string;
  /** False for a checkpoint that too few witnesses signed: it can contradict the log, but not vouch for it. */
  readonly vouches: boolean;
}

/** Up to which size the log is what was claimed, and by whom. */
export interface Vouched {
  readonly size: number;
  readonly by: readonly string[];
}

/** What the log says at a size, read from it or guessed where it is damaged. A guess can be confirmed, but breaks no claim. */
export interface Known<T> {
  readonly value: T;
  readonly sure: boolean;
}

/** The log at a size: the link of the entry below it, and the root; null where nothing tells. */
export interface Standing {
  readonly link: Known<Link> | null;
  readonly root: Known<Hash> | null;
}

/** Whether a claim about the link was met, and one about the root. */
export interface Met {
  readonly link: boolean;
  readonly root: boolean;
}

/** The claims about one log, held against it as it grows. */
export class Claims {
  private readonly claims: readonly Claim[];
  private readonly met = new Set<Claim>();
  /** With what the log says instead. */
  private readonly broken = new Map<Claim, string>();
  private next = 0;

  constructor(
    claims: readonly Claim[],
    private readonly findings: Findings,
  ) {
    this.claims = [...claims].sort((a, b) => a.size - b.size);
  }

  /** Whether anybody claims something of this size. Sizes are asked for in ascending order. */
  awaits(size: number): boolean {
    while (this.next < this.claims.length && this.claims[this.next]!.size < size) this.next++;
    return this.claims[this.next]?.size === size;
  }

  /** Whether anybody claims something of a size from one to another, as of `awaits`. */
  awaitsAny(from: number, to: number): boolean {
    this.awaits(from);
    const next = this.claims[this.next]?.size;
    return next !== undefined && next <= to;
  }

  /** Whether a claim of the size awaited would be met. */
  wouldMeet(standing: Standing): boolean {
    const size = this.claims[this.next]?.size;
    for (let at = this.next; this.claims[at]?.size === size; at++) if (isMet(this.claims[at]!, standing)) return true;
    return false;
  }

  /** Holds the claims of the size awaited against the log. What one of them confirms is no guess for the others. */
  hold(standing: Standing): Met {
    const size = this.claims[this.next]?.size;
    const held: Claim[] = [];
    while (this.next < this.claims.length && this.claims[this.next]!.size === size)
      held.push(this.claims[this.next++]!);
    const met = { link: false, root: false };
    for (const claim of held) {
      if (!isMet(claim, standing)) continue;
      this.met.add(claim);
      met[kindOf(claim)] = true;
    }
    for (const claim of held) {
      const kind = kindOf(claim);
      if (this.met.has(claim) || !(standing[kind]?.sure || met[kind])) continue;
      this.broken.set(claim, shownStanding(standing, kind));
    }
    return met;
  }

  /**
   * The log ends at this size.
   *
   * @param absent what of a range stands nowhere in the log, not even out of order
   */
  end(size: number, absent: (range: IndexRange) => readonly IndexRange[]): void {
    for (const mismatch of this.mismatches()) this.findings.addApart(mismatch);
    const longest = this.claims.at(-1);
    const cut = longest && longest.size > size ? absent({ first: size, last: longest.size - 1 }) : [];
    if (longest && cut.length > 0) {
      this.findings.addApart({
        code: 'TAIL_CUT',
        first: cut[0]!.first,
        last: cut.at(-1)!.last,
        expected: `${longest.size} entries, says ${longest.by}`,
        found: `${size} entries`,
      });
    }
    for (const fork of this.forks()) this.findings.addApart(fork);
  }

  /** One from each size that was confirmed to the next that was contradicted: larger ones that are say no more. */
  private *mismatches(): Iterable<Finding> {
    const confirmed = this.claims.filter((claim) => this.met.has(claim)).map(({ size }) => size);
    const broken = new Map<number, Claim[]>();
    let below = 0;
    for (const claim of this.claims.filter((one) => this.broken.has(one))) {
      while (below < confirmed.length && confirmed[below]! < claim.size) below++;
      const first = below === 0 ? 0 : confirmed[below - 1]!;
      const known = broken.get(first);
      if (known) known.push(claim);
      else broken.set(first, [claim]);
    }
    for (const [first, [claim, ...others]] of broken) {
      const range = claim!.size === 0 ? { first: null, last: null } : { first, last: claim!.size - 1 };
      const more = others.length > 0 ? `; ${others.length} more pieces of evidence are contradicted as well` : '';
      const expected = `${shownClaim(claim!)}, says ${claim!.by}`;
      yield { code: 'ROOT_MISMATCH', ...range, expected, found: `${this.broken.get(claim!)}${more}` };
    }
  }

  /** Signed claims of which at most one can be true: the log's key signed two histories. */
  private *forks(): Iterable<Finding> {
    const signed = this.claims.filter(isSigned);
    for (const [i, claim] of signed.entries()) {
      const other = signed.slice(i + 1).find((later) => this.contradict(claim, later));
      if (!other) continue;
      const range = claim.size === 0 ? { first: null, last: null } : { first: 0, last: claim.size - 1 };
      yield { code: 'FORK', ...range, expected: shownFork(claim), found: shownFork(other) };
    }
  }

  private contradict(claim: SignedClaim, later: SignedClaim): boolean {
    if (claim.size === later.size) return !equal(claim.says.root, later.says.root);
    // The log is what the later one says, and its beginning is not what the earlier one says.
    return this.broken.has(claim) && this.met.has(later);
  }

  vouched(): Vouched | null {
    const good = this.claims.filter((claim) => claim.vouches && claim.size > 0 && this.met.has(claim));
    const size = good.at(-1)?.size;
    if (size === undefined) return null;
    const by = new Set(good.filter((claim) => claim.size === size).map((claim) => claim.by));
    return { size, by: [...by] };
  }
}

type SignedClaim = Claim & { readonly says: { readonly root: Hash } };

function isSigned(claim: Claim): claim is SignedClaim {
  return 'root' in claim.says;
}

function kindOf({ says }: Claim): 'link' | 'root' {
  return 'link' in says ? 'link' : 'root';
}

function isMet({ says }: Claim, { link, root }: Standing): boolean {
  return 'link' in says ? link?.value === says.link : root !== null && equal(root.value, says.root);
}

function shownClaim({ size, says }: Claim): string {
  return 'link' in says ? `entry ${size - 1} with link ${says.link}` : `root ${toBase64(says.root)}`;
}

function shownStanding({ link, root }: Standing, kind: 'link' | 'root'): string {
  return kind === 'link' ? `link ${link!.value}` : `root ${toBase64(root!.value)}`;
}

function shownFork({ size, says, by }: SignedClaim): string {
  return `size ${size}, root ${toBase64(says.root)}, says ${by}`;
}
