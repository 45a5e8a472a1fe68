/** Where a process is to be killed: handed to `main-that-dies.ts` as JSON. */
import type { Step } from '../../../signer/runtime.ts';

export type KillPoint =
  /** After a step of the signer has taken effect for the n-th time. */
  | { readonly kind: 'step'; readonly step: Step; readonly count: number }
  /**
   * Before or after the n-th call of the file system (or `COMMIT`) that changes something, of all or of those on the
   * anchor; or of those that read the anchor. A process that is only stopped there continues later.
   */
  | {
      readonly kind: 'call';
      readonly on: 'any' | 'anchor' | 'anchor read';
      readonly when: 'before' | 'after';
      readonly count: number;
      readonly stop?: true;
    }
  /**
   * Before or after the n-th call of libc that changes a file, SQLite's too; by the preload library, where there is a
   * C compiler.
   */
  | { readonly kind: 'syscall'; readonly when: 'before' | 'after'; readonly count: number }
  /**
   * From outside, so many milliseconds after the first call of the file system: in the midst of anything, SQLite and
   * fsync too.
   */
  | { readonly kind: 'time'; readonly milliseconds: number }
  | { readonly kind: 'none' };

export const NO_KILL: KillPoint = { kind: 'none' };

/** What of a site a path belongs to, in a word. */
export function partOf(path: string, folder: string): string {
  const inFolder = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
  const name = inFolder.replace(/^copy(?=\/|$)/, 'site');
  if (/^(?:site\.)?anchor(?:-\d+)?\.guard/.test(name))
    return name.includes('/new-')
      ? 'anchor guard, new record'
      : name.includes('/at-')
        ? 'anchor guard, turn'
        : 'anchor guard';
  if (/^(?:site\.)?anchor(?:-\d+)?$/.test(name)) return 'anchor';
  if (name === '' || name === folder) return 'folder of the anchor';
  if (name.startsWith('site/ledger.sqlite.restored')) return 'draft';
  if (name.startsWith('site/ledger.sqlite')) return 'ledger';
  if (/^site\/ledger\.(?:lock|holder)/.test(name)) return 'lock';
  if (name.startsWith('site/out/'))
    return name.endsWith('.tmp') ? 'license .tmp' : name.endsWith('.vtlic') ? 'license' : 'folder of licenses';
  if (name.startsWith('site/out')) return 'folder of licenses';
  if (name.startsWith('site/plans')) return 'plan';
  if (name.startsWith('site/batches')) return 'batch record and results';
  if (name === 'site') return 'folder of the site';
  return name.startsWith('given/') || name === 'given' ? 'output file' : 'other';
}
