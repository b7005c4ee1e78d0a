/**
 * Why the embedded PostgreSQL cannot be had. The message is one line that says what to do; the code is for programs.
 */
export type EmbeddedPostgresCode =
  /** The npm package with this platform's binaries is not installed. */
  | 'BINARIES_MISSING'
  /** The binaries are there and do not run here. */
  | 'BINARIES_UNUSABLE'
  /** DATA_DIR cannot be made, written or entered: by us, or by the account PostgreSQL runs as. */
  | 'FOLDER_UNREACHABLE'
  /** A PostgreSQL that does not know our password runs in DATA_DIR. */
  | 'DATA_DIR_IN_USE'
  | 'INIT_FAILED'
  | 'START_FAILED'
  | 'STOP_FAILED';

export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';

  constructor(
    readonly code: EmbeddedPostgresCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message.replace(/\s*\n\s*/g, ' '), options);
  }
}

/** The code of a failed system call, such as `EACCES`, or of a failed query. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** For `catch`: what is not there is null; any other fault stays one. */
export function nullIfAbsent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

export function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '');
}
