import { open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { equalBytes } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';

/**
 * Writes a file that must not exist yet, mode 0600, durably (the file and its folder), and reads it back.
 * A write that fails removes what it made.
 *
 * @throws VtlicError `output_exists` or `output_unwritable`
 */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await createNew(path);
  try {
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(dirname(path));
    if (!equalBytes(await readFile(path), bytes)) throw new Error('the bytes read back differ from those written');
  } catch (error) {
    await rm(path, { force: true });
    throw new VtlicError('output_unwritable', 'the key file could not be written', {
      file: path,
      hint: 'Nothing was kept: free the disk or choose another folder, and generate again.',
      cause: error,
    });
  }
}

async function createNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new VtlicError(
        'output_exists',
        'a file of this name exists, and a key file is never written over another',
        {
          file: path,
          hint: 'Choose another name; move the old file away only when its key is known to be elsewhere.',
          cause: error,
        },
      );
    }
    throw new VtlicError('output_unwritable', 'the key file could not be created', { file: path, cause: error });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
