/**
 * A fault is what stops a command and what a person can put right: one line on stderr, and exit status 3. The other
 * statuses are verdicts (schema/log-format.md, "Verification").
 */
export class CommandFault extends Error {
  override readonly name = 'CommandFault';
}

export const UNUSABLE = 3;

const SAYS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this may not be read or written by you',
  EPERM: 'this may not be read or written by you',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a part of this path is no folder',
  ENOSPC: 'no space is left',
  EROFS: 'this cannot be written',
  EEXIST: 'this stands already',
  EPIPE: 'whoever read this has stopped reading',
};

/** For what a system call on a file threw; anything else is thrown again. */
export function fileFault(path: string, error: unknown): CommandFault {
  const code = error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : null;
  if (code === null) throw error;
  return new CommandFault(`${path}: ${SAYS[code] ?? `the system says ${code}`}`, { cause: error });
}
