/**
 * A state error says why a witness did not start, or gave no cosignature: it could not read its state, or not be sure of
 * keeping it. Its code is one of a closed union.
 */

const SAID = {
  STATE_MISSING:
    'there is no state; a witness that has cosigned before must have its own back, and only a new one starts with --new',
  STATE_EXISTS: 'there is a state already, which --new would forget',
  STATE_MALFORMED:
    'this is no state as a witness writes it, or was changed since: restore its newest copy, or make a new key and a new state',
  STATE_OF_ANOTHER: 'this is the state of a witness with another key or name',
  STATE_LOCKED: 'another process uses this state',
  STATE_CHANGED: 'this state is no longer as this process left it: start again when nothing else writes it',
  FOLDER_MISSING: 'there is no such folder',
  PATH_TOO_LONG: 'the path is too long for the lock beside it, a socket: use one of at most 98 bytes',
  STATE_UNUSABLE: 'this cannot be read, or not be written and locked',
} as const;

export type StateFault = keyof typeof SAID;

export class StateError extends Error {
  override readonly name = 'StateError';
  constructor(
    readonly code: StateFault,
    options?: ErrorOptions,
  ) {
    super(SAID[code], options);
  }
}
