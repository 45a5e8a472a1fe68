/** How cases of the operation `verify` are written: a row each, with what is ordinary left out. */
import { armor } from '../../formats/armor.ts';
import { concatBytes } from '../../formats/bytes.ts';
import { encodeCbor, encodeHead, type CborValue } from '../../formats/cbor/index.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { encodeCoseSign1, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import { compositeKey, ed25519Key, type ExampleKey } from '../examples/example-keys.ts';
import { active, type ExampleTrust } from '../examples/example-trust.ts';
import { bytesOf } from '../examples/small-example.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import type { CaseFolder, FileInput, Profile } from './case.ts';
import { FORGETS, isState, trustValues, verdictOf } from './case-parts.ts';
import { intermediateOf } from './intermediate.ts';

/** The context of Appendix B of docs/format.md. */
export const CONTEXT: PlainContext = Object.freeze<PlainContext>({
  issuer: 'example-vendor',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  now: 1_814_400_000,
  defaultGrace: 0,
});

export const TRUST: ExampleTrust = { keys: [active('ed25519')] };
export const COMPOSITE_TRUST: ExampleTrust = { keys: [active('composite')] };

export interface VerifyRow {
  /** The id without `verify/`. */
  readonly id: string;
  readonly title: string;
  /** Sections of docs/format.md. */
  readonly clause: readonly string[];
  readonly file: Uint8Array;
  readonly pad?: FileInput['pad'];
  readonly expected: Reason | State | 'misuse';
  readonly trust?: ExampleTrust;
  readonly context?: PlainContext;
  readonly scored?: 'verdict';
  readonly profile?: Profile;
  readonly forgets?: string;
}

const FILE = 'license.vtlic';

function forgottenIn(expected: VerifyRow['expected']): string | undefined {
  if (expected === 'misuse') return 'to check the context before it judges a license';
  return isState(expected) ? undefined : FORGETS[expected];
}

export function verifyCases(rows: readonly VerifyRow[]): readonly CaseFolder[] {
  return rows.map((row) => {
    const { id, title, clause, file, pad, expected, trust = TRUST, context = CONTEXT, scored, profile } = row;
    const intermediate = intermediateOf(file);
    const forgets = row.forgets ?? forgottenIn(expected);
    return {
      value: {
        id: `verify/${id}`,
        title,
        clause: clause.map((section) => `format.md#${section}`),
        profile: profile ?? 'required',
        operation: 'verify',
        license: { file: FILE, ...(pad === undefined ? {} : { pad }) },
        trust: trustValues(trust),
        context,
        expected: expected === 'misuse' ? { verdict: expected } : verdictOf(expected, scored),
        ...(forgets === undefined ? {} : { forgets }),
        ...(intermediate === undefined ? {} : { intermediate }),
      },
      files: new Map([[FILE, file]]),
    };
  });
}

const hex = (value: CborValue): string => Buffer.from(encodeCbor(value)).toString('hex');

/** The entries of a protected header: key and value as they are encoded, in hex. */
export interface HeaderEntries {
  readonly alg: string;
  readonly kid: string;
  readonly typ: string;
}

/** The entries of the header of a license by this key. */
export function headerOf({ alg, publicKey }: ExampleKey): HeaderEntries {
  return {
    alg: `01${hex(ALGORITHMS[alg].wire)}`,
    kid: `04${hex(bytesOf(publicKey.kid))}`,
    typ: `10${hex(TYP.license)}`,
  };
}

/** A map of these entries, in the order given. */
export function mapOf(...entries: readonly string[]): Uint8Array {
  return concatBytes(encodeHead(5, entries.length), ...entries.map(bytesOf));
}

/** The file of these protected bytes and this payload, genuinely signed over both as they are. */
export function signedFile(key: ExampleKey, protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  return armor('VTLIC', encodeCoseSign1(protectedBytes, payload, key.sign(sigStructure(protectedBytes, payload))));
}

export function licenseFile(payload: Uint8Array, key: ExampleKey = ed25519Key): Uint8Array {
  const { alg, kid, typ } = headerOf(key);
  return signedFile(key, mapOf(alg, kid, typ), payload);
}

export const KEYS: Readonly<Record<'ed25519' | 'composite', ExampleKey>> = {
  ed25519: ed25519Key,
  composite: compositeKey,
};
export const utf8Hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');
