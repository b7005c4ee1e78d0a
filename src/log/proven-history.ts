/**
 * A proven history is what one person was given as their history, taken line by line from the newest back, and believed
 * only as far as it is proven: each entry by its disclosure proof, all under one checkpoint, each the one that the entry
 * after it names.
 *
 * The newest is the entry of the asking itself. It carries the SHA-256 of a challenge that the person made up, so it was
 * written after they asked, and its `nth` is how many entries there are to be shown.
 */
import { BodyError, type LoggedBody, parseBody } from './body.js';
import { equal, toUtf8 } from './bytes.js';
import type { OpenedCheckpoint } from './checkpoint.js';
import { type Leaf, type Link, type LogIndex, linkOf } from './leaf.js';
import { NoteError, type NoteFault } from './note.js';
import type { VerifierKey } from './note-key.js';
import { checkProof, ProofError, type ProofFault, parseProof } from './proof.js';

/** What only a history can have wrong: schema/log-format.md, "A person's history". */
export const HISTORY_FAULTS = [
  'LINE_WITHHELD',
  'CHALLENGE_MISSING',
  'COUNT_DIFFERS',
  'OTHER_PERSON',
  'OTHER_CHECKPOINT',
  'LINE_MISSING',
  'LINE_OUT_OF_PLACE',
  'EARLIER_DIFFERS',
] as const;

export type HistoryFault = (typeof HISTORY_FAULTS)[number] | ProofFault | NoteFault | BodyError['code'];

export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  constructor(
    readonly code: HistoryFault,
    /** Which of the person's entries should have come, from 1; null where it is not known how many there are. */
    readonly nth: number | null,
    message: string,
  ) {
    super(message);
  }
}

export interface ProvenLine {
  readonly index: LogIndex;
  readonly link: Link;
  /** Which of the entries about the person it is, from 1. */
  readonly nth: number;
  readonly body: LoggedBody;
}

export interface HistoryClaims {
  /** The log's. */
  readonly key: VerifierKey;
  readonly witnesses: readonly VerifierKey[];
  /** SHA-256 of the challenge, hex. */
  readonly challenge: string;
  /** The pseudonym that the person knows to be theirs; null: whichever the entry of the asking is about. */
  readonly person: string | null;
}

export class ProvenHistory {
  private readonly taken: ProvenLine[] = [];
  private newest: { readonly person: string; readonly checkpoint: OpenedCheckpoint } | null = null;
  private earlier: LogIndex | null = null;

  constructor(private readonly claims: HistoryClaims) {}

  /** Newest first. */
  get lines(): readonly ProvenLine[] {
    return this.taken;
  }

  /** Null before the first line is taken. */
  get person(): string | null {
    return this.newest?.person ?? null;
  }

  /** What all of them are proven under; null before the first line is taken. */
  get checkpoint(): OpenedCheckpoint | null {
    return this.newest?.checkpoint ?? null;
  }

  /** The `nth` of the line that is to come; 0 where there is none, null before the first. */
  get next(): number | null {
    const last = this.taken.at(-1);
    return last ? last.nth - 1 : null;
  }

  /**
   * Takes the next line: of the entry of the asking first, then of the one before each.
   *
   * @param file a `.tlog-proof` file
   * @param text of the leaf; null where it was not shown
   * @throws HistoryError
   */
  take(file: string, text: string | null): ProvenLine {
    if (text === null) throw this.fault('LINE_WITHHELD', 'the entry was not shown');
    const { leaf, body, checkpoint } = this.open(file, text);
    const nth = leaf.history?.nth;
    if (nth === undefined || body.subject === undefined) throw this.fault('OTHER_PERSON', 'an entry about nobody');
    if (this.newest) this.follow(leaf, nth, body.subject, checkpoint);
    else this.begin(body, body.subject);
    this.newest ??= { person: body.subject, checkpoint };
    this.earlier = leaf.history?.earlier ?? null;
    const line = { index: leaf.index, link: linkOf(toUtf8(text)), nth, body };
    this.taken.push(line);
    return line;
  }

  /** @param count how many lines there are said to be @throws HistoryError unless they were all taken */
  conclude(count: number): void {
    if (this.next !== 0) throw this.fault('LINE_MISSING', 'there are no more lines');
    if (this.taken.length !== count) {
      throw new HistoryError('COUNT_DIFFERS', null, `${this.taken.length} entries, and ${count} were said to be there`);
    }
  }

  private open(file: string, text: string): { leaf: Leaf; body: LoggedBody; checkpoint: OpenedCheckpoint } {
    const { key, witnesses } = this.claims;
    try {
      const proven = checkProof(toUtf8(text), parseProof(file), key, witnesses);
      return { ...proven, body: parseBody(proven.leaf.body) };
    } catch (error) {
      if (error instanceof ProofError || error instanceof NoteError || error instanceof BodyError) {
        throw this.fault(error.code, error.message);
      }
      throw error;
    }
  }

  private begin({ event, outcome, actor, details }: LoggedBody, subject: string): void {
    const { challenge, person } = this.claims;
    if (person !== null && subject !== person) throw this.fault('OTHER_PERSON', `an entry about ${subject}`);
    const isAsking = event === 'history.read' && outcome === 'permitted' && actor.id === subject;
    if (isAsking && details?.challenge === challenge) return;
    throw this.fault('CHALLENGE_MISSING', 'the newest entry does not carry the challenge');
  }

  private follow({ index }: Leaf, nth: number, subject: string, { size, root }: OpenedCheckpoint): void {
    const { person, checkpoint } = this.newest!;
    if (subject !== person) throw this.fault('OTHER_PERSON', `an entry about ${subject}`);
    if (size !== checkpoint.size || !equal(root, checkpoint.root)) {
      throw this.fault('OTHER_CHECKPOINT', `proven under the checkpoint of ${size} entries, not of ${checkpoint.size}`);
    }
    if (nth < this.next!) throw this.fault('LINE_MISSING', `the one that came is the ${nth}.`);
    if (nth > this.next!) throw this.fault('LINE_OUT_OF_PLACE', `the one that came is the ${nth}.`);
    if (index !== this.earlier) {
      throw this.fault('EARLIER_DIFFERS', `entry ${index}, and the one after it names entry ${this.earlier}`);
    }
  }

  private fault(code: HistoryFault, message: string): HistoryError {
    return new HistoryError(code, this.next, message);
  }
}
