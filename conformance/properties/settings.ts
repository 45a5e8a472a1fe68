/**
 * Generated settings: chains of keysets, overrides and files of public keys. Each is valid at first, and then gets none,
 * one or several named changes; the answer that follows is known.
 */
import fc from 'fast-check';
import type { Answer, Capability, Request } from '../protocol/protocol.ts';
import { prepareChain, validChain, type ChainDraft } from './chain-draft.ts';
import { KEY_FILE_CHANGES, prepareKeyFile, validKeyFile, type KeyFileDraft } from './changes/key-files.ts';
import { CHAIN_CHANGES } from './changes/keysets.ts';
import { OVERRIDE_CHANGES, prepareOverride, validOverride, type OverrideDraft } from './changes/overrides.ts';

export interface GeneratedSetting {
  readonly kind: KindName;
  /** Indexes into the list of changes of this kind. */
  readonly changes: readonly number[];
}

export interface PreparedSetting {
  readonly request: Request;
  readonly expected: Answer;
  readonly words: string;
}

interface Kind {
  readonly needs: Capability;
  readonly names: readonly string[];
  readonly prepare: (changes: readonly number[]) => Omit<PreparedSetting, 'words'>;
}

function kind<D>(
  needs: Capability,
  valid: () => D,
  changes: readonly (readonly [words: string, apply: (draft: D) => void])[],
  prepare: (draft: D) => Omit<PreparedSetting, 'words'>,
): Kind {
  return {
    needs,
    names: changes.map(([words]) => words),
    prepare: (numbers) => {
      const draft = valid();
      // In the order of the list, where replacing a version comes before changing its form.
      for (const number of numbers.toSorted((a, b) => a - b)) changes[number]?.[1](draft);
      return prepare(draft);
    },
  };
}

export type KindName = 'keysets' | 'override' | 'key-files';

const KINDS: Readonly<Record<KindName, Kind>> = {
  keysets: kind<ChainDraft>('keysets', validChain, CHAIN_CHANGES, prepareChain),
  override: kind<OverrideDraft>('override', validOverride, OVERRIDE_CHANGES, prepareOverride),
  'key-files': kind<KeyFileDraft>('key-files', validKeyFile, KEY_FILE_CHANGES, prepareKeyFile),
};

const NAMES: readonly KindName[] = ['keysets', 'override', 'key-files'];

export function settingsOf(capabilities: ReadonlySet<Capability>): readonly KindName[] {
  return NAMES.filter((name) => capabilities.has(KINDS[name].needs));
}

/** A valid setting of each kind, and one setting for each change. */
export function everySetting(kinds: readonly KindName[]): readonly GeneratedSetting[] {
  return kinds.flatMap((name) => [
    { kind: name, changes: [] },
    ...KINDS[name].names.map((_words, i) => ({ kind: name, changes: [i] })),
  ]);
}

/** @param kinds at least one */
export function generatedSetting(kinds: readonly KindName[]): fc.Arbitrary<GeneratedSetting> {
  return fc.constantFrom(...kinds).chain((name) =>
    fc.record({
      kind: fc.constant(name),
      changes: fc.uniqueArray(fc.nat({ max: KINDS[name].names.length - 1 }), { minLength: 1, maxLength: 4 }),
    }),
  );
}

export function prepareSetting({ kind: name, changes }: GeneratedSetting): PreparedSetting {
  const { names, prepare } = KINDS[name];
  const words = changes.length === 0 ? `valid: ${name}` : changes.map((number) => names[number] ?? '').join('; ');
  return { ...prepare(changes), words };
}
