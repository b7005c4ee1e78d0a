/**
 * A term is a span of time in which something is in force: from its first moment until the first after it.
 */
export interface Term {
  readonly from: Date;
  /** The first moment at which it is no longer in force. */
  readonly until: Date;
}

export function isInForce({ from, until }: Term, at: Date): boolean {
  return from <= at && at < until;
}
