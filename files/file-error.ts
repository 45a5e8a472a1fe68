/** Faults of the file system in words. */
import { VtlicError, type ToolFault } from '../formats/error.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not do that here (permission denied)',
  EPERM: 'the operating system does not allow it (operation not permitted)',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's disk quota is used up",
  EIO: 'the disk reported an input/output error',
  EISDIR: 'this is a folder, not a file',
  ENOTDIR: 'a part of this path is not a folder',
  EEXIST: 'it exists already',
  EINVAL: 'this file system does not take this name',
  EILSEQ: 'this file system does not take this name',
  ELOOP: 'a link in this path leads to itself',
  ENAMETOOLONG: 'the name is too long for this file system',
  EMFILE: 'too many files are open',
  EFBIG: 'the file would grow beyond the allowed size',
};

export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * A system error as ours, with the file named; an error that is ours already passes unchanged, and a defect stays one.
 */
export function describeFileError(error: unknown, code: ToolFault, file: string): VtlicError {
  if (error instanceof VtlicError) return error;
  const system = errorCodeOf(error);
  if (system === undefined || !/^E[A-Z0-9]+$/.test(system))
    return new VtlicError(
      'internal',
      error instanceof Error ? error.message : 'a value was thrown that is not an error',
      {
        file,
        cause: error,
      },
    );
  return new VtlicError(code, WORDS[system] ?? `the operating system refused (${system})`, { file, cause: error });
}
