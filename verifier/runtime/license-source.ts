/** Reads the license from its place, notices changes, and replaces it. */
import { accessSync, constants, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { utf8 } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, errorCodeOf, readLicenseFile, removeIfPresent, replaceDurably } from '../../files/index.ts';
import type { LicenseLocation } from './entitlements.ts';
import type { Settings } from './environment.ts';
import type { Source } from './judge.ts';
import { notice, shownError, type Notice } from './notices.ts';

const MODE = 0o644;
const MAX_PATH = 4096;

export interface LicenseSource {
  /** In words, for messages. */
  readonly place: string;
  /** The same for a program. */
  readonly location: LicenseLocation;
  read(): Source;
  /** Another value once the file has changed: cheap enough to be asked each minute. */
  stamp(): string;
  /** Why nothing can be installed here, before anything is tried; undefined: it can. */
  installFault(): Notice | undefined;
  /** Replaces the file durably. @throws VtlicError `output_unwritable` */
  replace(file: Uint8Array): void;
  /** Puts back what was read before `replace`. @throws VtlicError `output_unwritable` */
  restore(before: Source): void;
  /** Calls back soon after the file may have changed. Events may get lost: someone must ask for the stamp as well. */
  watch(changed: () => void): () => void;
}

export function licenseSource(license: Settings['license']): LicenseSource {
  if (license === undefined) return noSource();
  return 'text' in license ? textSource(license.text) : fileSource(license.path);
}

function fileSource(path: string): LicenseSource {
  return {
    place: `the file ${cleanText(path, MAX_PATH)}`,
    location: Object.freeze({ kind: 'file', path: cleanText(path, MAX_PATH) }),
    read: () => {
      try {
        return { file: readLicenseFile(path) };
      } catch (error) {
        return { missing: `${path}: ${shownError(error)}`, path: cleanText(path, MAX_PATH) };
      }
    },
    stamp: () => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = statSync(path);
        return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      } catch (error) {
        return String(errorCodeOf(error));
      }
    },
    installFault: () => {
      try {
        const target = targetOf(path);
        accessSync(dirname(target), constants.W_OK);
        return undefined;
      } catch (error) {
        const { message } = describeFileError(error, 'output_unwritable', path);
        return notice('file_unwritable', `${path}: ${message}`, { path: cleanText(path, MAX_PATH) });
      }
    },
    replace: (file) => {
      replaceDurably(targetOf(path), file, MODE);
    },
    restore: (before) => {
      if (before.file === undefined) removeIfPresent(path);
      else replaceDurably(targetOf(path), before.file, MODE);
    },
    watch: (changed) => watchFolder(dirname(path), changed),
  };
}

/** A link is not replaced, but the file that it points to. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return path;
    throw error;
  }
}

/** A secret that is mounted changes by a link in its folder, so every event of the folder counts. */
function watchFolder(folder: string, changed: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    // After an error, the watcher has closed itself.
    watcher.on('error', () => undefined);
    return () => {
      watcher.close();
    };
  } catch {
    // Too many watches, or no such folder: polling notices the change.
    return () => undefined;
  }
}

function textSource(text: string): LicenseSource {
  return {
    place: 'the variable LICENSE_TEXT',
    location: Object.freeze({ kind: 'text' }),
    read: () => ({ file: utf8(text) }),
    stamp: () => '',
    installFault: () =>
      notice('install_not_possible', 'the license is in the variable LICENSE_TEXT', { place: 'text' }),
    replace: notReplaceable,
    restore: notReplaceable,
    watch: () => () => undefined,
  };
}

function noSource(): LicenseSource {
  return {
    place: 'nowhere: LICENSE_PATH is not set',
    location: Object.freeze({ kind: 'nowhere' }),
    read: () => ({ missing: 'neither LICENSE_PATH nor LICENSE_TEXT is set' }),
    stamp: () => '',
    installFault: () =>
      notice('install_not_possible', 'LICENSE_PATH is not set: set it to the path of the license', {
        place: 'nowhere',
      }),
    replace: notReplaceable,
    restore: notReplaceable,
    watch: () => () => undefined,
  };
}

function notReplaceable(): never {
  throw new VtlicError('internal', 'the license is not in a file, and cannot be replaced');
}
