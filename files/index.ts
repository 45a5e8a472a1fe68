/** Reading and writing files: bounded reads, durable writes, errors that name the file. */
export { createDurably, createManyDurably, type FileOutcome, type NewFile } from './durable-file.ts';
export { DurableStream, replaceDurably } from './durable-stream.ts';
export { describeFileError, errorCodeOf } from './file-error.ts';
export { fileState, fsyncFolder, fsyncPath, isPresent, makeFolders, removeIfPresent } from './folders.ts';
export {
  parseJsonFile,
  readChunks,
  readKeysetFile,
  readLicenseFile,
  readLimited,
  readStandardInput,
  sha256Hex,
} from './read-file.ts';
export { MAX_SECRET_BYTES, readSecretLine, SECRET_SECONDS } from './secret.ts';
export { placeWithoutReplacing } from './temporary.ts';
