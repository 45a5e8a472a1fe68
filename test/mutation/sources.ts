/** The sources that are changed, and all changes, each with a number of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { ROOT } from '../support/run-cli.ts';
import { mutationsOf, type Mutation } from './mutations.ts';

/** Files without anything that a verdict or a product depends on, with the reason. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'verifier/product/main.ts': 'starts the command, in a process of its own',
};

/**
 * What reads the bytes of a license and a keyset, what judges a genuine license, a trust, an override and a keyset, and
 * what follows a license in a running product: each change of these files is noticed, or listed in `equivalents.json`.
 * The other files are tried where they are named, or with `--all`.
 */
export const COMPLETE: ReadonlySet<string> = new Set([
  'formats/armor.ts',
  'formats/base64.ts',
  'formats/bytes.ts',
  'formats/cbor/checked-reader.ts',
  'formats/cbor/decode.ts',
  'formats/cbor/encode.ts',
  'formats/cbor/head.ts',
  'formats/cbor/map-reader.ts',
  'formats/cbor/text.ts',
  'formats/cbor/value.ts',
  'formats/checkpoint.ts',
  'formats/clean-text.ts',
  'formats/cose-algorithm.ts',
  'formats/cose-key.ts',
  'formats/cose-sign.ts',
  'formats/cose-sign1.ts',
  'formats/counters-document.ts',
  'formats/csv-dialect.ts',
  'formats/csv.ts',
  'formats/dates.ts',
  'formats/error.ts',
  'formats/exit-codes.ts',
  'formats/explain-cose-key.ts',
  'formats/icalendar.ts',
  'formats/json/json-line.ts',
  'formats/json/reader.ts',
  'formats/json/strict-json.ts',
  'formats/keyset/blocks.ts',
  'formats/keyset/decode-keyset.ts',
  'formats/keyset/encode-keyset.ts',
  'formats/keyset/keyset.ts',
  'formats/license/bounds.ts',
  'formats/license/decode-license.ts',
  'formats/license/encode-license.ts',
  'formats/license/ext.ts',
  'formats/license/id.ts',
  'formats/license/license.ts',
  'formats/normalize-pasted.ts',
  'formats/note.ts',
  'formats/tlog-proof.ts',
  'verifier/admin/differences.ts',
  'verifier/admin/html.ts',
  'verifier/admin/installer.ts',
  'verifier/admin/license-admin.ts',
  'verifier/admin/metrics.ts',
  'verifier/admin/monitor.ts',
  'verifier/admin/node-listener.ts',
  'verifier/admin/options.ts',
  'verifier/admin/page.ts',
  'verifier/admin/pasted.ts',
  'verifier/admin/postgres-tokens.ts',
  'verifier/admin/preview-page.ts',
  'verifier/admin/read-form.ts',
  'verifier/admin/sealed-tokens.ts',
  'verifier/admin/status-page.ts',
  'verifier/admin/texts.ts',
  'verifier/binding.ts',
  'verifier/context.ts',
  'verifier/keyset/acceptance.ts',
  'verifier/keyset/chain.ts',
  'verifier/keyset/choose.ts',
  'verifier/override.ts',
  'verifier/policy.ts',
  'verifier/product/product-file.ts',
  'verifier/product/run.ts',
  'verifier/product/show.ts',
  'verifier/rollback.ts',
  'verifier/runtime/check-license.ts',
  'verifier/runtime/commit.ts',
  'verifier/runtime/copies.ts',
  'verifier/runtime/effective-time.ts',
  'verifier/runtime/entitlements.ts',
  'verifier/runtime/environment.ts',
  'verifier/runtime/events.ts',
  'verifier/runtime/host-fingerprint.ts',
  'verifier/runtime/install.ts',
  'verifier/runtime/judge.ts',
  'verifier/runtime/key-ring.ts',
  'verifier/runtime/license-source.ts',
  'verifier/runtime/machine-id.ts',
  'verifier/runtime/notices.ts',
  'verifier/runtime/open-license.ts',
  'verifier/runtime/options.ts',
  'verifier/runtime/runtime.ts',
  'verifier/runtime/state-document.ts',
  'verifier/runtime/state-keeper.ts',
  'verifier/runtime/state.ts',
  'verifier/runtime/stores/file-store.ts',
  'verifier/runtime/stores/lock.ts',
  'verifier/runtime/stores/postgres-store.ts',
  'verifier/runtime/stores/process-identity.ts',
  'verifier/runtime/stores/sqlite-store.ts',
  'verifier/runtime/stores/store.ts',
  'verifier/runtime/warnings.ts',
  'verifier/trust.ts',
  'verifier/verdict.ts',
  'verifier/verify.ts',
]);

export interface Source {
  readonly file: string;
  readonly text: string;
  /** Of its first change. */
  readonly offset: number;
  readonly mutations: readonly Mutation[];
}

export function readSources(): readonly Source[] {
  const files = ['formats', 'verifier'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  );
  let offset = 0;
  return files
    .filter((file) => file.endsWith('.ts') && !Object.hasOwn(LEFT_OUT, file))
    .toSorted()
    .map((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const source = { file, text, offset, mutations: mutationsOf(text) };
      offset += source.mutations.length;
      return source;
    });
}

/** @param id the number of a change among all */
export function sourceOf(sources: readonly Source[], id: number): Source {
  const source = sources.findLast(({ offset, mutations }) => offset <= id && mutations.length > 0);
  if (source === undefined) throw new Error(`there is no change ${id}`);
  return source;
}
