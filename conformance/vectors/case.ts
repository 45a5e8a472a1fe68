/**
 * A case of the published vectors, as it is in `case.json` (docs/vectors.md; the schema is vectors/v1/case.schema.json).
 *
 * Everything that a verifier needs is in the case: keys as hex, the whole context, and the names of the files beside it.
 */
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { State } from '../../verifier/verdict.ts';
import type { KeyEntry, PlainContext, PlainInstallation, PlainTrust } from '../examples/plain-values.ts';

export const CASE_SCHEMA = 'vtlic-case/1';

export const OPERATIONS: readonly Case['operation'][] = [
  'verify',
  'trust',
  'key-file',
  'override',
  'keyset',
  'history',
];

/** `required`: every verifier passes it. `gray-ed25519`: reported, and never required. */
export const PROFILES = ['required', 'gray-ed25519'] as const;
export type Profile = (typeof PROFILES)[number];

/** A file beside `case.json`; `pad` is one byte, many times, behind its bytes. */
export interface FileInput {
  readonly file: string;
  readonly pad?: { readonly byte: number; readonly count: number };
}

export interface CaseKey extends KeyEntry {
  readonly alg: Algorithm;
  /** Hex of the raw bytes: 32, or 1984. */
  readonly publicKey: string;
  /** For people: a verifier computes it. Absent where the bytes are no key, and wrong in a few cases about that. */
  readonly kid?: string;
}

export type CaseTrust = PlainTrust<CaseKey>;

/** The expected result of a license or a setting. `scored`: what a verifier has to agree on. */
export type CaseVerdict =
  | { readonly verdict: 'accepted'; readonly state: State }
  | {
      readonly verdict: 'refused';
      readonly layer?: string;
      readonly reason: string;
      readonly scored: 'reason' | 'verdict';
    };

/** The context departs from section 9 of docs/format.md: an error of the caller, and no verdict on the license. */
export interface Misuse {
  readonly verdict: 'misuse';
}

interface CaseHead {
  readonly id: string;
  readonly title: string;
  readonly clause: readonly string[];
  /** Ids of vectors/v1/requirements.json. */
  readonly requirements?: readonly string[];
  readonly profile: Profile;
  /** What a verifier that does not agree has forgotten. */
  readonly forgets?: string;
  /** Verifiers of conformance/mutants that lack one check, and disagree only for that reason. */
  readonly mutants?: readonly string[];
}

export interface VerifyCase extends CaseHead {
  readonly operation: 'verify';
  readonly intermediate?: LicenseValues;
  readonly license: FileInput;
  readonly trust: CaseTrust;
  readonly context: PlainContext;
  readonly expected: CaseVerdict | Misuse;
}

export interface TrustCase extends SettingHead {
  readonly operation: 'trust';
  readonly trust: CaseTrust;
  readonly expected: Taken | NotTaken;
}

export interface KeyFileCase extends SettingHead {
  readonly operation: 'key-file';
  readonly keyFile: FileInput;
  readonly expected: (Taken & { readonly kids: readonly string[] }) | NotTaken;
}

export interface OverrideCase extends SettingHead {
  readonly operation: 'override';
  readonly builtIn: CaseTrust;
  readonly variables: Readonly<Record<string, string>>;
  /** For `file:PATH`: path → its content. */
  readonly files?: Readonly<Record<string, FileInput>>;
  /** Judged by the trust that follows. */
  readonly license?: FileInput;
  readonly context?: PlainContext;
  readonly expected: (Taken & { readonly trust: CaseTrust; readonly license?: CaseVerdict }) | NotTaken;
}

export interface KeysetCase extends SettingHead {
  readonly operation: 'keyset';
  readonly issuer: string;
  readonly requireComposite?: boolean;
  readonly builtIn: FileInput;
  /** Copies in state, none or several. */
  readonly state?: readonly FileInput[];
  /** What LICENSE_KEYSET_PATH brings. */
  readonly keyset?: FileInput;
  /** Judged by the trust of the keyset that counts. */
  readonly license?: FileInput;
  readonly context?: PlainContext;
  readonly expected:
    | (Taken & {
        readonly version: number;
        readonly source: 'built-in' | 'state' | 'file';
        readonly notices: readonly { readonly source: 'state' | 'file'; readonly reason: string }[];
        readonly license?: CaseVerdict;
      })
    | NotTaken;
}

/** What is in force at the end of a step: section "What follows from a verdict" of docs/runtime.md. */
export type InForce = 'active' | 'grace' | 'free_tier' | 'refused_to_start';

/** One step of a history. */
export type HistoryStep =
  /**
   * The clock, in seconds since 1970; it does not run between steps. `ran`: the product has run for so many seconds,
   * and the clock with it, until it shows `now`; then a `tick` follows.
   */
  | { readonly do: 'set-time'; readonly now: number; readonly ran?: number }
  /** The file at LICENSE_PATH is replaced, or removed, by hand. */
  | { readonly do: 'put-file'; readonly license: FileInput | null }
  /** Keysets at LICENSE_KEYSET_PATH are replaced by hand. */
  | { readonly do: 'rotate'; readonly keyset: FileInput | null }
  /** The product starts; a running one is stopped before. */
  | { readonly do: 'start' | 'restart' }
  /** The running product looks at its file, its keysets and the time. */
  | { readonly do: 'tick' }
  /** Somebody pastes a license, keysets, or both. */
  | { readonly do: 'install'; readonly license: FileInput }
  /** The state is deleted while the product is off: the next step is a restart. */
  | { readonly do: 'lose-state' }
  /** The state is kept aside, or put back, while the product is off. */
  | { readonly do: 'save-state' | 'restore-state' };

export interface HistoryExpected {
  readonly inForce: InForce;
  /** Of an installation, or a start that is refused. */
  readonly verdict?: 'accepted' | 'refused';
  /** Of a refusal, or why the free tier is in force. */
  readonly reason?: string;
  /** The counter of the license in force. */
  readonly counter?: number;
}

export interface HistoryCase extends SettingHead {
  readonly operation: 'history';
  readonly production: boolean;
  /** Built-in keys, or a built-in chain of keysets. */
  readonly trust?: CaseTrust;
  readonly builtIn?: FileInput;
  /** Variables of section 11.3, with which the product starts each time. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly context: PlainInstallation;
  readonly steps: readonly (HistoryStep & { readonly expected?: HistoryExpected })[];
}

interface Taken {
  readonly verdict: 'accepted';
}

interface NotTaken {
  readonly verdict: 'refused';
  readonly reason: string;
  readonly scored: 'reason' | 'verdict';
}

export type Case = VerifyCase | TrustCase | KeyFileCase | OverrideCase | KeysetCase | HistoryCase;

/** Values between a license and its verdict: `alg` as in the case, all others in hex. */
export interface LicenseValues {
  readonly alg?: Algorithm;
  readonly kid?: string;
  readonly protected?: string;
  readonly payload?: string;
  readonly payloadSha256?: string;
  readonly sigStructure?: string;
  /** M' of a composite. */
  readonly compositeMessage?: string;
  readonly signature?: string;
  /** Only where the bytes behind the armor are no `COSE_Sign1`. */
  readonly decoded?: string;
}

/** Of a key that is taken. */
export interface KeyValues {
  readonly alg: Algorithm;
  /** The input of the kid, at whose end the raw bytes are. */
  readonly coseKey: string;
  readonly kid: string;
}

/** Of a block of a keyset that can be read. */
export interface BlockValues {
  readonly file: string;
  readonly version?: number;
  readonly payloadSha256: string;
  readonly signers: readonly {
    readonly alg?: Algorithm;
    readonly kid?: string;
    readonly sigStructureSha256: string;
  }[];
}

/** Of a license in a file, where the case is about more than this license. */
export interface FileValues {
  readonly file: string;
  readonly kid?: string;
  readonly lineage?: string;
  readonly counter?: number;
  readonly payloadSha256: string;
}

/** Values between the files of a case and what is expected. */
export interface Intermediate {
  readonly keys?: readonly KeyValues[];
  readonly blocks?: readonly BlockValues[];
  readonly licenses?: readonly FileValues[];
}

/** Of every case but a license. */
interface SettingHead extends CaseHead {
  readonly intermediate?: Intermediate;
}

/** A case with the files beside it. */
export interface CaseFolder {
  readonly value: Case;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** All file inputs of a case, in no order. */
export function fileInputs(value: Case): readonly FileInput[] {
  switch (value.operation) {
    case 'verify':
      return [value.license];
    case 'trust':
      return [];
    case 'key-file':
      return [value.keyFile];
    case 'override':
      return [...Object.values(value.files ?? {}), ...maybe(value.license)];
    case 'keyset':
      return [value.builtIn, ...(value.state ?? []), ...maybe(value.keyset), ...maybe(value.license)];
    case 'history':
      break;
  }
  return [
    ...maybe(value.builtIn),
    ...value.steps.flatMap((step) => ('license' in step ? maybe(step.license) : [])),
    ...value.steps.flatMap((step) => ('keyset' in step ? maybe(step.keyset) : [])),
  ];
}

function maybe(input: FileInput | null | undefined): readonly FileInput[] {
  return input === undefined || input === null ? [] : [input];
}
