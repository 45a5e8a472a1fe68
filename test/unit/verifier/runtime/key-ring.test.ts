/** The keys that a product trusts, from what is built in, from the state, from a file and from the environment. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  issuingKey,
  KEYSET_ISSUER,
  keysetBlock,
  testKey,
  type KeysetValues,
} from '../../../../conformance/examples/keysets.ts';
import { concatBytes } from '../../../../formats/bytes.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import type { Notice } from '../../../../verifier/runtime/index.ts';
import { KeyRing, type KeyRingOptions } from '../../../../verifier/runtime/key-ring.ts';
import { makeTrust } from '../../../../verifier/trust.ts';
import { thrown } from '../../../support/thrown.ts';
import { compositeKey, ed25519Key, strangeKey, trust, trusted } from '../sample.ts';

const block = (version: number, changes: Partial<KeysetValues> = {}, signers = ['root']): Uint8Array =>
  keysetBlock({ version, roots: ['root'], keys: [issuingKey('old key')], ...changes }, signers);
const FIRST = block(1);
const SECOND = block(2, { keys: [issuingKey('old key', { status: 'revoked' }), issuingKey('new key')] });
const CHAIN = concatBytes(FIRST, SECOND);
const builtIn = builtInChain(FIRST, { issuer: KEYSET_ISSUER });
const state = { version: 2, chain: CHAIN };
const kidOf = (name: string): string => testKey(name).publicKey.kid;
const OLD = kidOf('old key');

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-keys-'));
  path = join(folder, 'keyset');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const ring = (changes: Partial<KeyRingOptions> = {}): KeyRing =>
  new KeyRing({ builtIn, environment: {}, keysetPath: undefined, requireComposite: false, ...changes });
const keyText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
const notices = (keys: KeyRing, now = 0): readonly string[] => keys.notices(now).map(said);
const kids = (keys: KeyRing): readonly string[] =>
  keys.trust.keys.filter(({ purpose }) => purpose === 'license').map(({ key }) => key.kid);

describe('keys that are built in without keysets', () => {
  it('are what counts, and are never replaced', () => {
    const given = trust();
    writeFileSync(path, SECOND);
    const keys = ring({ builtIn: given, keysetPath: path });
    expect(keys.trust).toBe(given);
    expect([keys.version, keys.keyset, keys.refresh(state), notices(keys)]).toEqual([undefined, undefined, false, []]);
    const refused = keys.add(SECOND);
    expect(refused && said(refused)).toBe(
      'install_not_possible: this product has its keys built in, and takes no keysets',
    );
    expect(refused?.values).toEqual({ place: 'keys' });
    expect(keys.trust).toBe(given);
  });

  it('require the composite signature where that is compiled in, and keep all else', () => {
    const given = trust({ ed25519Until: 9, revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'] });
    expect(ring({ builtIn: given, requireComposite: true }).trust).toEqual({ ...given, requireComposite: true });
  });

  it('are replaced by those of the environment, which do not change what is revoked', () => {
    const given = makeTrust({
      keys: [trusted(compositeKey), trusted(ed25519Key, { status: 'revoked', honored: ['ab'.repeat(32)] })],
    });
    writeFileSync(path, keyText(strangeKey.publicKey.bytes));
    const keys = ring({ builtIn: given, environment: { LICENSE_PUBLIC_KEY: `file:${path}` } });
    expect(kids(keys)).toEqual([strangeKey.publicKey.kid]);
    const { kid } = ed25519Key.publicKey;
    expect([keys.counts(kid, 'ab'.repeat(32)), keys.counts(kid, 'cd'.repeat(32))]).toEqual([true, false]);
    expect(keys.counts(compositeKey.publicKey.kid, 'cd'.repeat(32))).toBe(true);
    expect(keys.counts(strangeKey.publicKey.kid, 'cd'.repeat(32))).toBe(true);
    expect(thrown(() => ring({ environment: { LICENSE_PUBLIC_KEY: `file:${path}.missing` } }))).toMatchObject({
      code: 'configuration_invalid',
      place: { field: 'LICENSE_PUBLIC_KEY' },
    });
  });
});

describe('keysets in the state', () => {
  it('are continued from what is built in, once', () => {
    const keys = ring();
    expect(kids(keys)).toEqual([OLD]);
    expect([keys.version, keys.counts(OLD, 'ab')]).toEqual([1, true]);
    expect(keys.keyset).toEqual({ version: 1, chain: FIRST });
    expect(keys.refresh(undefined)).toBe(false);
    expect(keys.refresh(state)).toBe(true);
    expect(keys.refresh(state)).toBe(false);
    expect(keys.keyset).toEqual(state);
    expect([keys.version, keys.counts(OLD, 'ab'), kids(keys)]).toEqual([2, false, [OLD, kidOf('new key')]]);
    expect(notices(keys)).toEqual([]);
  });

  it('stay in force where the state has lost them, and a damaged chain is named once', () => {
    const keys = ring();
    keys.refresh(state);
    expect(keys.refresh(undefined)).toBe(false);
    expect(keys.version).toBe(2);
    expect(keys.refresh({ version: 2, chain: CHAIN.subarray(1) })).toBe(false);
    expect(notices(keys)).toEqual([expect.stringMatching(/^keyset_armor_malformed: state: /)]);
    expect(keys.refresh(state)).toBe(false);
    expect(notices(keys)).toEqual([]);
  });

  it('are named where they have expired', () => {
    const expires = 1_900_000_000;
    const keys = ring();
    keys.refresh({ version: 2, chain: concatBytes(FIRST, block(2, { expires })) });
    expect(notices(keys, expires - 1)).toEqual([]);
    expect(notices(keys, expires)).toEqual(['keyset_expired: version 2 is in force']);
    expect(keys.notices(expires)[0]?.values).toEqual({ version: 2 });
    keys.refresh({ version: 2, chain: Uint8Array.of(1) });
    expect(notices(keys, expires)).toHaveLength(2);
  });
});

describe('a keyset in a file', () => {
  it('is read once it is there, and again once it has changed', () => {
    writeFileSync(path, FIRST);
    const keys = ring({ keysetPath: path });
    expect([keys.refresh(undefined), keys.version]).toEqual([false, 1]);
    writeFileSync(path, SECOND);
    expect([keys.refresh(undefined), keys.version]).toEqual([true, 2]);
    expect(keys.refresh(undefined)).toBe(false);
    writeFileSync(path, FIRST);
    expect(keys.refresh(undefined)).toBe(false);
    expect(notices(keys)).toEqual(['keyset_older: file: its newest version is 1, and version 2 is in force']);
    writeFileSync(path, '');
    expect(keys.refresh(undefined)).toBe(false);
    expect(notices(keys)).toEqual([]);
  });

  it('is read again once it has changed in place, also where its size and its time are as before', () => {
    writeFileSync(path, SECOND.with(60, SECOND[60] === 65 ? 66 : 65));
    utimesSync(path, 5, 5);
    const keys = ring({ keysetPath: path });
    expect([keys.refresh(undefined), notices(keys).length]).toEqual([false, 1]);
    writeFileSync(path, SECOND);
    utimesSync(path, 5, 5);
    expect([keys.refresh(undefined), notices(keys)]).toEqual([true, []]);
  });

  it('that is there is read again each time while it cannot be read, and one that is missing is not', () => {
    const keys = ring({ keysetPath: path });
    const first = (): Notice | undefined => {
      keys.refresh(undefined);
      return keys.notices(0)[0];
    };
    const missing = first();
    expect(missing?.code).toBe('keyset_file_unusable');
    expect(first()).toBe(missing);
    mkdirSync(path);
    const unreadable = first();
    expect(unreadable?.code).toBe('keyset_file_unusable');
    expect(first()).not.toBe(unreadable);
    expect(first()).toEqual(unreadable);
  });

  it('that cannot be read is named with its path and the reason of today', () => {
    const inFolder = join(path, 'keyset');
    const keys = ring({ keysetPath: inFolder });
    expect(keys.refresh(undefined)).toBe(false);
    expect(notices(keys)).toEqual([`keyset_file_unusable: ${inFolder}: there is no such file or folder`]);
    expect(keys.notices(0)[0]?.values).toEqual({ path: inFolder });
    writeFileSync(path, 'not a folder');
    expect(keys.refresh(undefined)).toBe(false);
    expect(notices(keys)).toEqual([
      expect.stringMatching(/^keyset_file_unusable: .*keyset: .*not a (?:folder|directory)/),
    ]);
    rmSync(path);
    mkdirSync(path);
    writeFileSync(inFolder, SECOND);
    expect([keys.refresh(undefined), notices(keys)]).toEqual([true, []]);
  });
});

describe('keysets that someone pastes', () => {
  it('are taken as a continuation, shown before that, and nothing changes where they are known', () => {
    const keys = ring();
    const preview = keys.preview(SECOND);
    if ('code' in preview) throw new Error(preview.detail);
    expect([preview.chain.newest.version, preview.counts(OLD, 'ab'), keys.version]).toEqual([2, false, 1]);
    expect(keys.add(SECOND)).toBeUndefined();
    expect([keys.version, keys.trust]).toEqual([2, preview.trust]);
    expect(keys.add(FIRST)).toBeUndefined();
    expect(keys.version).toBe(2);
  });

  it('are refused where no root signed them, or where they and the environment do not go together', () => {
    const keys = ring();
    const refused = keys.add(block(2, {}, ['evil']));
    expect(refused?.code).toBe('keyset_threshold_previous');
    expect(keys.version).toBe(1);
    const composite = testKey('composite later').publicKey;
    const overridden = ring({ environment: { LICENSE_PUBLIC_KEY: keyText(composite.ed25519) } });
    const later = block(2, { keys: [issuingKey('old key'), issuingKey('composite later')] });
    const conflict = overridden.add(later);
    expect(conflict?.code).toBe('configuration_invalid');
    expect(thrown(() => overridden.refresh({ version: 2, chain: later }))).toMatchObject({
      code: 'configuration_invalid',
      message: conflict?.detail,
    });
    expect(overridden.version).toBe(1);
  });

  it('are not called a wrong setting where the product itself is at fault', () => {
    let isBroken = false;
    const environment = {
      get LICENSE_PUBLIC_KEY(): undefined {
        if (isBroken) throw new TypeError('no environment');
        return undefined;
      },
    };
    const keys = ring({ environment });
    isBroken = true;
    expect(() => keys.add(SECOND)).toThrow('no environment');
  });
});

describe('a product into which composite is compiled', () => {
  const both = ['root', 'composite root'];
  const mixed = { roots: both, keys: [issuingKey('composite issuing'), issuingKey('old key')] };

  it('trusts no Ed25519 license, and continues a chain by composite roots only', () => {
    const chain = builtInChain(block(1, mixed, both), { issuer: KEYSET_ISSUER });
    const byOne = block(2, mixed, ['root']);
    expect(ring({ builtIn: chain }).trust.requireComposite).toBe(false);
    expect(ring({ builtIn: chain }).add(byOne)).toBeUndefined();
    const strict = builtInChain(block(1, mixed, both), { issuer: KEYSET_ISSUER, requireComposite: true });
    expect(ring({ builtIn: strict }).add(byOne)?.code).toBe('keyset_threshold_previous');
    const keys = ring({ builtIn: chain, requireComposite: true });
    expect(keys.trust.requireComposite).toBe(true);
    expect(keys.add(byOne)?.code).toBe('keyset_threshold_previous');
    expect(keys.add(block(2, mixed, ['composite root']))).toBeUndefined();
    expect([keys.version, keys.trust.requireComposite]).toEqual([2, true]);
  });
});
