/**
 * A claim is what somebody outside says of a log: that its first `size` entries had this root, or that the last of
 * them had this link. A link commits to all before it as a root does, so both vouch for the same: every entry below
 * `size`.
 */
import { equal, toBase64 } from './bytes.js';
import type { Finding, Findings } from './finding.js';
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

/** What the log says, read from it or guessed where it is damaged. A guess can be confirmed, but breaks no claim. */
export interface Known<T> {
  readonly value: T;
  readonly sure: boolean;
}

/** The claims about one log, held against it as it grows. */
export class Claims {
  private readonly claims: readonly Claim[];
  private readonly met = new Set<Claim>();
  private readonly broken = new Set<Claim>();
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

  /** Holds the claims of this size against the log: its root there, and the link of the entry below; null if unknown. */
  hold(size: number, link: Known<Link> | null, root: Known<Hash> | null): void {
    for (; this.claims[this.next]?.size === size; this.next++) {
      const claim = this.claims[this.next]!;
      if ('link' in claim.says) {
        if (link?.value === claim.says.link) this.met.add(claim);
        else if (link?.sure) this.break(claim, `entry ${size - 1} with link ${claim.says.link}`, `link ${link.value}`);
      } else {
        if (root && equal(root.value, claim.says.root)) this.met.add(claim);
        else if (root?.sure) this.break(claim, `root ${toBase64(claim.says.root)}`, `root ${toBase64(root.value)}`);
      }
    }
  }

  private break(claim: Claim, expected: string, found: string): void {
    this.broken.add(claim);
    const range =
      claim.size === 0 ? { first: null, last: null } : { first: this.confirmedBelow(claim.size), last: claim.size - 1 };
    this.findings.addApart({ code: 'ROOT_MISMATCH', ...range, expected: `${expected}, says ${claim.by}`, found });
  }

  /** The largest size below this one at which the log was as claimed: what is wrong was changed after it. */
  private confirmedBelow(size: number): number {
    return this.claims.findLast((claim) => claim.size < size && this.met.has(claim))?.size ?? 0;
  }

  /** The log ends at this size. */
  end(size: number): void {
    const longest = this.claims.at(-1);
    if (longest && longest.size > size) {
      this.findings.addApart({
        code: 'TAIL_CUT',
        first: size,
        last: longest.size - 1,
        expected: `${longest.size} entries, says ${longest.by}`,
        found: `${size} entries`,
      });
    }
    for (const fork of this.forks()) this.findings.addApart(fork);
  }

  /** Signed claims of which at most one can be true: the log's key signed two histories. */
  private *forks(): Iterable<Finding> {
    const signed = this.claims.filter(isSigned);
    for (const [i, claim] of signed.entries()) {
      const other = signed.slice(i + 1).find((later) => this.contradict(claim, later));
      if (!other) continue;
      const range = claim.size === 0 ? { first: null, last: null } : { first: 0, last: claim.size - 1 };
      yield { code: 'FORK', ...range, expected: shown(claim), found: shown(other) };
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

function shown({ size, says, by }: SignedClaim): string {
  return `size ${size}, root ${toBase64(says.root)}, says ${by}`;
}
