/** Generated licenses: a valid one, with none, one or several named changes, and the verdict that follows. */
import fc from 'fast-check';
import { Pairs, type Item } from '../model/walk.ts';
import { CLAIM_CHANGES } from './changes/claims.ts';
import { CONTEXT_CHANGES } from './changes/context.ts';
import { HEAD_CHANGES } from './changes/cbor-heads.ts';
import { COSE_CHANGES } from './changes/cose.ts';
import { GRAY_CHANGES, SIGNATURE_CHANGES } from './changes/signatures.ts';
import { TEXT_CHANGES } from './changes/text.ts';
import { TRUST_CHANGES } from './changes/trust.ts';
import type { Change, Changes } from './changes/change.ts';
import { DAY, NOW, prepare, validDraft, write, type Prepared } from './draft.ts';
import { COMPOSITE, ED25519, SECOND, type SigningKey } from './keys.ts';

export interface GeneratedLicense {
  readonly signer: SigningKey;
  readonly extras: readonly string[];
  readonly changes: readonly Change[];
}

/** Optional claims that change no verdict. */
const EXTRAS: Readonly<Record<string, Item>> = {
  features: ['audit-export', 'sso'],
  limits: new Pairs([['vaults', 50]]),
  instances: 2,
  offline: 3600,
  name: 'Acme GmbH \u{1f512}',
  ref: 'PO-4711',
  grace: 30 * DAY,
  use: 'trial',
  upd: NOW + 400 * DAY,
  ext: new Pairs([['a', [1, new Pairs([])]]]),
};

const GROUPS: readonly (readonly Changes[])[] = [
  TEXT_CHANGES,
  COSE_CHANGES,
  HEAD_CHANGES,
  SIGNATURE_CHANGES,
  CLAIM_CHANGES,
  TRUST_CHANGES,
  CONTEXT_CHANGES,
];

const anyChange: fc.Arbitrary<Change> = fc.oneof(...GROUPS.map((group) => fc.oneof(...group.map(({ any }) => any))));

/**
 * A valid license, and one with each change that can be counted, in an order that differs with the seed.
 *
 * @param hasGray also those of the gray zone of Ed25519, which section 14 of docs/format.md lets a verifier accept
 */
export function everyChange(seed: number, hasGray = false): readonly GeneratedLicense[] {
  const groups = hasGray ? [...GROUPS, GRAY_CHANGES] : GROUPS;
  const all = groups.flatMap((group) => group.flatMap((changes) => changes.all));
  const [shuffled = []] = fc.sample(fc.shuffledSubarray(all, { minLength: all.length }), { seed, numRuns: 1 });
  return [
    ...[ED25519, COMPOSITE].map((signer) => ({ signer, extras: [], changes: [] })),
    ...shuffled.map((change) => ({ signer: ED25519, extras: [], changes: [change] })),
  ];
}

export const generatedLicense: fc.Arbitrary<GeneratedLicense> = fc.record({
  // Most by Ed25519, since ML-DSA signs slowly.
  signer: fc.oneof(
    { weight: 15, arbitrary: fc.constant(ED25519) },
    { weight: 3, arbitrary: fc.constant(SECOND) },
    { weight: 1, arbitrary: fc.constant(COMPOSITE) },
  ),
  extras: fc.subarray(Object.keys(EXTRAS), { maxLength: 3 }),
  changes: fc.oneof(
    { weight: 8, arbitrary: fc.array(anyChange, { minLength: 1, maxLength: 1 }) },
    { weight: 3, arbitrary: fc.array(anyChange, { maxLength: 3 }) },
  ),
});

export interface PreparedLicense extends Prepared {
  /** Whether layer and reason are compared: only where the file has one fault. */
  readonly scored: boolean;
  readonly words: string;
}

export function prepareLicense({ signer, extras, changes }: GeneratedLicense): PreparedLicense {
  const draft = validDraft(signer);
  for (const name of extras) {
    draft.claims.set(name, EXTRAS[name] ?? 0);
    if (name === 'upd') draft.context.buildDate = NOW - DAY;
  }
  for (const { of, apply } of changes) if (of !== 'surroundings') apply(draft);
  const written = write(draft);
  draft.signed = written.record;
  for (const { of, apply } of changes) if (of !== 'license') apply(draft);
  return {
    ...prepare(draft, written),
    scored: changes.length <= 1 && changes.every(({ scored }) => scored),
    words: words(signer, extras, changes),
  };
}

function words(signer: SigningKey, extras: readonly string[], changes: readonly Change[]): string {
  const composite = signer.publicKey.alg === 'ed25519' ? '' : ', by a composite key';
  const claims = extras.length === 0 ? '' : `, with ${extras.join(', ')}`;
  const changed = changes.length === 0 ? '' : ` — ${changes.map((change) => change.words).join('; ')}`;
  return `a valid license${composite}${claims}${changed}`;
}

/** A valid license, one whose signature has another bit, and no license at all. */
export function smokeLicenses(): readonly (readonly [name: string, license: GeneratedLicense])[] {
  const all = GROUPS.flatMap((group) => group.flatMap((changes) => changes.all));
  const changed = (words: string): GeneratedLicense => {
    const changes = all.filter((change) => change.words === words);
    if (changes.length !== 1) throw new Error(`there are ${changes.length} changes with the words: ${words}`);
    return { signer: ED25519, extras: [], changes };
  };
  return [
    ['valid', { signer: ED25519, extras: [], changes: [] }],
    ['altered-signature', changed('a signature: with one other bit in it')],
    ['no-license', changed('no license, but a sentence')],
  ];
}
