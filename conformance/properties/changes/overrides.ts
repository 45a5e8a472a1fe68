/** Overrides from the environment (section 11.3 of docs/format.md), as values, and named changes of them. */
import { concatBytes } from '../../../formats/bytes.ts';
import { exportPublicKey } from '../../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { expectedOf } from '../../model/expected.ts';
import type { Answer, Request } from '../../protocol/protocol.ts';
import {
  base64,
  LICENSE_ID,
  LINEAGE,
  modelTrust,
  NOW,
  validDraft,
  wantedOf,
  wireContext,
  wireTrust,
  write,
  type DraftKey,
  type DraftTrust,
} from '../draft.ts';
import { COMPOSITE, ED25519, OTHER_COMPOSITE, ROOT, SECOND } from '../keys.ts';

type Form = 'raw' | 'pem' | 'file of raw' | 'file of PEM';

export interface OverrideDraft {
  builtIn: DraftTrust;
  /** Undefined: the variables of keys are absent. */
  items: { key: PublicKey; form: Form }[] | undefined;
  requireComposite?: string;
  /** Whether a variable that is absent is blank instead. */
  hasBlanks: boolean;
  /** Changes of the variables, whose result the model does not know: then `isInvalid` says it. */
  readonly variableEdits: ((variables: Record<string, string>) => void)[];
  readonly files: Record<string, Uint8Array>;
  isInvalid: boolean;
}

export type OverrideChange = readonly [words: string, apply: (draft: OverrideDraft) => void];

/** By the key that the environment brings. */
const LICENSE = write(validDraft(SECOND));
const { context: CONTEXT } = validDraft(SECOND);

/** A key for licenses and a root are built in, and the environment brings another key for licenses. */
export function validOverride(): OverrideDraft {
  return {
    builtIn: {
      keys: [
        { key: ED25519.publicKey, purpose: 'license', status: 'active' },
        { key: ROOT.publicKey, purpose: 'root', status: 'active' },
      ],
      revokedLicenses: [],
      lowestCounters: new Map(),
    },
    items: [{ key: SECOND.publicKey, form: 'raw' }],
    variableEdits: [],
    hasBlanks: false,
    files: {},
    isInvalid: false,
  };
}

const ED25519_VARIABLE = 'LICENSE_PUBLIC_KEY';
const MLDSA_VARIABLE = 'LICENSE_MLDSA_PUBLIC_KEY';
const REQUIRE_VARIABLE = 'LICENSE_REQUIRE_COMPOSITE';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOfText = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

/** The two items of a key; the second one is empty for an Ed25519 key. */
function itemsOf({ key, form }: { readonly key: PublicKey; readonly form: Form }): readonly [string, string] {
  if (!form.endsWith('PEM') && form !== 'pem')
    return [base64(key.ed25519), key.mldsa65 === undefined ? '' : base64(key.mldsa65)];
  const blocks = text(exportPublicKey(key, 'pem')).split(/(?<=-----END PUBLIC KEY-----\n)/);
  const [first = '', second = ''] = blocks;
  return key.mldsa65 === undefined ? [first, ''] : [second, first];
}

export function prepareOverride(draft: OverrideDraft): { readonly request: Request; readonly expected: Answer } {
  const { builtIn, items, requireComposite, variableEdits, isInvalid } = draft;
  const files: Record<string, Uint8Array> = { ...draft.files };
  const environment: Record<string, string> = {};
  if (items !== undefined) {
    const texts = items.map((item, i) =>
      itemsOf(item).map((one, j) => {
        if (one === '' || !item.form.startsWith('file')) return one;
        files[`/keys/${i}-${j}`] = bytesOfText(`\n${one} \n`);
        return `file:/keys/${i}-${j}`;
      }),
    );
    environment[ED25519_VARIABLE] = texts.map(([first = '']) => first).join(',');
    if (texts.some(([, second]) => second !== ''))
      environment[MLDSA_VARIABLE] = texts.map(([, second = '']) => second).join(', ');
  }
  if (requireComposite !== undefined) environment[REQUIRE_VARIABLE] = requireComposite;
  if (draft.hasBlanks)
    for (const name of [ED25519_VARIABLE, MLDSA_VARIABLE, REQUIRE_VARIABLE]) environment[name] ??= ' \t';
  for (const edit of variableEdits) edit(environment);
  const wire = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, base64(bytes)]));
  const request: Request = {
    op: 'override',
    trust: wireTrust(builtIn),
    environment,
    ...(Object.keys(wire).length === 0 ? {} : { files: wire }),
    license: base64(LICENSE.file),
    context: wireContext(CONTEXT),
  };
  return { request, expected: isInvalid ? INVALID : trustAfter(draft) };
}

const INVALID: Answer = { verdict: 'configuration_invalid' };

/** The three steps of section 11.3. */
function trustAfter({ builtIn, items, requireComposite = '' }: OverrideDraft): Answer {
  const required = requireComposite.trim();
  if (required !== '' && required !== '1') return INVALID;
  const isRequired = builtIn.requireComposite === true || required === '1';
  const given = new Map((items ?? []).map(({ key }) => [key.kid, key]));
  const everyKey = new Map([...builtIn.keys.map(({ key }) => [key.kid, key] as const), ...given]);
  const components = [...everyKey.values()].flatMap(({ ed25519, mldsa65 }) => [
    base64(ed25519),
    ...(mldsa65 === undefined ? [] : [base64(mldsa65)]),
  ]);
  if (new Set(components).size < components.length) return INVALID;
  const kept = builtIn.keys.filter(({ purpose }) => items === undefined || purpose !== 'license');
  const added = [...given.values()].map(
    (key): DraftKey =>
      builtIn.keys.find((one) => one.key.kid === key.kid) ?? { key, purpose: 'license', status: 'active' },
  );
  const byKid = new Map([...kept, ...added].map((entry) => [entry.key.kid, entry]));
  const trust: DraftTrust = { ...builtIn, keys: [...byKid.values()], requireComposite: isRequired };
  const keys = trust.keys.map(({ key, purpose, status }) => ({ alg: undefined, kid: key.kid, purpose, status }));
  const verdict = wantedOf(expectedOf(LICENSE.file, LICENSE.record, modelTrust(trust), CONTEXT));
  return { ...verdict, keys, requireComposite: isRequired };
}

const set =
  (name: string, value: string): ((draft: OverrideDraft) => void) =>
  (draft) =>
    draft.variableEdits.push((variables) => (variables[name] = value));

/** The entry of the key that the environment brings, as one that is built in. */
const known =
  (changes: Partial<DraftKey>): ((draft: OverrideDraft) => void) =>
  ({ builtIn }) => {
    const entry = builtIn.keys.find(({ key }) => key.kid === SECOND.publicKey.kid);
    if (entry === undefined)
      builtIn.keys.push({ key: SECOND.publicKey, purpose: 'license', status: 'active', ...changes });
    else Object.assign(entry, changes);
  };

/** Each of these is `configuration_invalid`, whatever else is changed. */
const FAULTS: readonly OverrideChange[] = [
  ['a key that is no base64', set(ED25519_VARIABLE, 'a key')],
  ...['\u00a0', '\f', '\v', '\ufeff', '\0'].flatMap((character): readonly OverrideChange[] => {
    const words = `U+${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    return [
      [`${words} before a key`, set(ED25519_VARIABLE, character + base64(SECOND.publicKey.bytes))],
      [`${words} behind a key`, set(ED25519_VARIABLE, base64(SECOND.publicKey.bytes) + character)],
      [`only ${words}`, set(ED25519_VARIABLE, character)],
      [`${words} behind the 1 that requires composite`, set(REQUIRE_VARIABLE, `1${character}`)],
    ];
  }),
  [
    'the whole composite as ML-DSA item',
    (draft) => {
      set(ED25519_VARIABLE, base64(COMPOSITE.publicKey.ed25519))(draft);
      set(MLDSA_VARIABLE, base64(COMPOSITE.publicKey.bytes))(draft);
    },
  ],
  ['base64 of 31 bytes', set(ED25519_VARIABLE, base64(new Uint8Array(31).fill(7)))],
  ['base64 without padding', set(ED25519_VARIABLE, base64(SECOND.publicKey.bytes).replace('=', ''))],
  ['a blank within base64', set(ED25519_VARIABLE, base64(SECOND.publicKey.bytes).replace(/^.{8}/, '$& '))],
  ['an empty item', set(ED25519_VARIABLE, `${base64(SECOND.publicKey.bytes)},`)],
  ['a key of small order', set(ED25519_VARIABLE, base64(new Uint8Array(32)))],
  [
    'a key that is no point of the curve',
    set(ED25519_VARIABLE, base64(concatBytes(Uint8Array.of(2), new Uint8Array(31)))),
  ],
  [
    'only the ML-DSA variable',
    (draft) => {
      draft.variableEdits.push((variables) => {
        delete variables[ED25519_VARIABLE];
        variables[MLDSA_VARIABLE] = base64(COMPOSITE.publicKey.mldsa65 ?? new Uint8Array());
      });
    },
  ],
  ['fewer items of ML-DSA', set(MLDSA_VARIABLE, ','.repeat(9))],
  ['a JWK', set(ED25519_VARIABLE, text(exportPublicKey(SECOND.publicKey, 'jwk')).trim())],
  ['a composite in one piece', set(ED25519_VARIABLE, text(exportPublicKey(COMPOSITE.publicKey, 'composite-pem')))],
  ['two PEM blocks in one item', set(ED25519_VARIABLE, text(exportPublicKey(SECOND.publicKey, 'pem')).repeat(2))],
  [
    'PEM whose line ends are spelled',
    set(ED25519_VARIABLE, text(exportPublicKey(SECOND.publicKey, 'pem')).replaceAll('\n', '\\n')),
  ],
  ['a file that is not there', set(ED25519_VARIABLE, 'file:/nowhere')],
  ['FILE: in capitals', set(ED25519_VARIABLE, 'FILE:/keys/0-0')],
  [
    'a file that names a file',
    (draft) => {
      draft.files['/again'] = bytesOfText('file:/keys/0-0');
      set(ED25519_VARIABLE, 'file:/again')(draft);
    },
  ],
  [
    'a file of 65,537 bytes',
    (draft) => {
      draft.files['/large'] = bytesOfText(base64(SECOND.publicKey.bytes).padEnd(65_537));
      set(ED25519_VARIABLE, 'file:/large')(draft);
    },
  ],
  ...['true', '0', 'yes', '01'].map((value): OverrideChange => [
    `LICENSE_REQUIRE_COMPOSITE=${value}`,
    set(REQUIRE_VARIABLE, value),
  ]),
];

const PLAIN: readonly OverrideChange[] = [
  ['no variable', (draft) => (draft.items = undefined)],
  ['blank variables where others are absent', (draft) => (draft.hasBlanks = true)],
  [
    'only blank variables',
    (draft) => {
      draft.items = undefined;
      draft.hasBlanks = true;
    },
  ],
  ...(['pem', 'file of raw', 'file of PEM'] as const).map((form): OverrideChange => [
    `the key as ${form}`,
    (draft) => draft.items?.forEach((item) => (item.form = form)),
  ]),
  ['two keys', (draft) => draft.items?.push({ key: OTHER_COMPOSITE.ed25519Component.publicKey, form: 'raw' })],
  ['one key twice', (draft) => draft.items?.push({ key: SECOND.publicKey, form: 'pem' })],
  ['a composite', (draft) => draft.items?.push({ key: COMPOSITE.publicKey, form: 'raw' })],
  ['a composite as PEM', (draft) => draft.items?.push({ key: COMPOSITE.publicKey, form: 'pem' })],
  [
    'a composite beside its component',
    (draft) =>
      draft.items?.push(
        { key: COMPOSITE.publicKey, form: 'raw' },
        { key: COMPOSITE.ed25519Component.publicKey, form: 'raw' },
      ),
  ],
  ['the key that is built in', (draft) => draft.items?.push({ key: ED25519.publicKey, form: 'raw' })],
  ['the root', (draft) => draft.items?.push({ key: ROOT.publicKey, form: 'raw' })],
  ['a key that is built in for other products', known({ products: ['other'] })],
  ['a key that is built in for this product', known({ products: ['other', 'vaultdesk'] })],
  ['a key that is built in for other tiers', known({ tiers: ['enterprise'] })],
  ['a key that is built in for this tier', known({ tiers: ['enterprise', 'pro'] })],
  ['a key that is built in for no product', known({ products: [] })],
  ['a key that is built in with another purpose', known({ purpose: 'release' })],
  ['a built-in key that is retired', known({ status: 'retired' })],
  ['a built-in key that is revoked', known({ status: 'revoked' })],
  [
    'a built-in key that is revoked, with a payload honored that is not this one',
    known({ status: 'revoked', honored: ['ab'.repeat(32)] }),
  ],
  [
    'a built-in key that is revoked, with this payload honored',
    known({ status: 'revoked', honored: ['ab'.repeat(32), LICENSE.record.payloadDigest] }),
  ],
  [
    'the component of a built-in composite',
    (draft) => {
      draft.builtIn.keys.push({ key: COMPOSITE.publicKey, purpose: 'license', status: 'active' });
      draft.items?.push({ key: COMPOSITE.ed25519Component.publicKey, form: 'raw' });
    },
  ],
  [
    'the component of a built-in composite root',
    (draft) => {
      draft.builtIn.keys.push({ key: COMPOSITE.publicKey, purpose: 'root', status: 'active' });
      draft.items?.push({ key: COMPOSITE.ed25519Component.publicKey, form: 'raw' });
    },
  ],
  [
    'a built-in key for license keys',
    (draft) => draft.builtIn.keys.push({ key: OTHER_COMPOSITE.publicKey, purpose: 'license-key', status: 'retired' }),
  ],
  ['composite required', (draft) => (draft.requireComposite = '1')],
  ['composite required, with blanks', (draft) => (draft.requireComposite = ' 1\n')],
  ['composite required in what is built in', (draft) => (draft.builtIn.requireComposite = true)],
  ['a built-in ed25519_until that is now', (draft) => (draft.builtIn.ed25519Until = NOW)],
  ['a built-in ed25519_until in a second', (draft) => (draft.builtIn.ed25519Until = NOW + 1)],
  ['the license revoked in what is built in', (draft) => draft.builtIn.revokedLicenses.push(LICENSE_ID)],
  ['the lowest counter of the license built in', (draft) => draft.builtIn.lowestCounters.set(LINEAGE, 5)],
  ['a built-in lowest counter above it', (draft) => draft.builtIn.lowestCounters.set(LINEAGE, 6)],
];

export const OVERRIDE_CHANGES: readonly OverrideChange[] = [
  ...PLAIN,
  ...FAULTS.map(([words, apply]): OverrideChange => [
    words,
    (draft) => {
      apply(draft);
      draft.isInvalid = true;
    },
  ]),
].map(([words, apply]): OverrideChange => [`an override with ${words}`, apply]);
