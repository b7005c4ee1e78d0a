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

/** The claims about one log, held against it as it grows. */
export class Claims {
  private readonly claims: readonly Claim[];
  private readonly met = new Set<Claim>();
  private readonly broken = new Set<Claim>();
  private next = 0;
  /** The largest size at which the log was found as claimed: what is wrong later was changed after it. */
  private confirmed = 0;

  constructor(
    claims: readonly Claim[],
    private readonly findings: Findings,
  ) {
    this.claims = [...claims].sort((a, b) => a.size - b.size);
  }

  /**
   * The log has reached this size.
   *
   * @param link of the entry below it, null for the empty log and where it is unknown
   * @param root null where it is unknown
   */
  reach(size: number, link: Link | null, root: (() => Hash) | null): void {
    for (; this.next < this.claims.length && this.claims[this.next]!.size <= size; this.next++) {
      const claim = this.claims[this.next]!;
      if (claim.size === size) this.hold(claim, link, root);
    }
  }

  private hold(claim: Claim, link: Link | null, root: (() => Hash) | null): void {
    if ('root' in claim.says) {
      const found = root?.();
      if (!found) return;
      if (equal(claim.says.root, found)) this.meet(claim);
      else this.break(claim, `root ${toBase64(claim.says.root)}`, `root ${toBase64(found)}`);
    } else {
      if (link === null) return;
      if (claim.says.link === link) this.meet(claim);
      else this.break(claim, `entry ${claim.size - 1} with link ${claim.says.link}`, `link ${link}`);
    }
  }

  private meet(claim: Claim): void {
    this.met.add(claim);
    this.confirmed = claim.size;
  }

  private break(claim: Claim, expected: string, found: string): void {
    this.broken.add(claim);
    const range = claim.size === 0 ? { first: null, last: null } : { first: this.confirmed, last: claim.size - 1 };
    this.findings.add({ code: 'ROOT_MISMATCH', ...range, expected: `${expected}, says ${claim.by}`, found });
  }

  /** The log ends at this size. */
  end(size: number): void {
    const longest = this.claims.at(-1);
    if (longest && longest.size > size) {
      this.findings.add({
        code: 'TAIL_CUT',
        first: size,
        last: longest.size - 1,
        expected: `${longest.size} entries, says ${longest.by}`,
        found: `${size} entries`,
      });
    }
    for (const fork of this.forks()) this.findings.add(fork);
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
    const good = [...this.met].filter((claim) => claim.vouches && claim.size > 0);
    const size = Math.max(0, ...good.map((claim) => claim.size));
    const by = new Set(good.filter((claim) => claim.size === size).map((claim) => claim.by));
    return size === 0 ? null : { size, by: [...by] };
  }
}

type SignedClaim = Claim & { readonly says: { readonly root: Hash } };

function isSigned(claim: Claim): claim is SignedClaim {
  return 'root' in claim.says;
}

function shown({ size, says, by }: SignedClaim): string {
  return `size ${size}, root ${toBase64(says.root)}, says ${by}`;
}
