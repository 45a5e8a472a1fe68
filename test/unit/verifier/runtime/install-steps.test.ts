/** The steps of an installation, with what each leaves in the file, the state and the keys. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import type { CommitHooks } from '../../../../verifier/runtime/commit.ts';
import { licenseFacts } from '../../../../verifier/runtime/entitlements.ts';
import { memoryStore, type StateStore } from '../../../../verifier/runtime/index.ts';
import { installPasted, previewPasted, type InstallParts } from '../../../../verifier/runtime/install.ts';
import type { Decision } from '../../../../verifier/runtime/judge.ts';
import { KeyRing } from '../../../../verifier/runtime/key-ring.ts';
import { licenseSource } from '../../../../verifier/runtime/license-source.ts';
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';
import { makeTrust } from '../../../../verifier/trust.ts';
import { ed25519Key, EXP, license, licenseFileOf, NBF, trusted } from '../sample.ts';
import { CommitSite, noting, said } from './commit-site.ts';
import { at, examined, first, inGrace, older, renewal, stateWith, told } from './judged.ts';
import { textOf } from './product.ts';

const keyset = (version: number, signer = 'root'): string =>
  textOf(keysetBlock({ version, roots: ['root'], keys: [issuingKey('old key'), issuingKey('new key')] }, [signer]));
const CHAIN = builtInChain(keysetBlock({ version: 1, roots: ['root'], keys: [issuingKey('old key')] }, ['root']), {
  issuer: KEYSET_ISSUER,
});
const TRUST = makeTrust({ keys: [trusted(ed25519Key)] });
const byNewKey = textOf(licenseFileOf(testKey('new key'), { grace: 0 }));
const NOT_IN_FILE = 'install_not_possible: the license is in the variable LICENSE_TEXT';
const CREATED = 'state_created: the store';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-install-'));
  path = join(folder, 'license');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface SiteOptions {
  readonly hooks?: CommitHooks;
  readonly store?: Partial<StateStore>;
  readonly builtIn?: typeof CHAIN | typeof TRUST;
  readonly before?: Decision;
  readonly source?: Partial<InstallParts['source']>;
}

/** A product whose license is in a file. */
class Site extends CommitSite {
  readonly keys: KeyRing;
  readonly parts: InstallParts;
  readonly #warnings: string[] = [];

  constructor({ hooks = {}, store = {}, builtIn = TRUST, before = { notices: [] }, source = {} }: SiteOptions = {}) {
    const keys = new KeyRing({ builtIn, environment: {}, keysetPath: undefined, requireComposite: false });
    super(hooks, store, () => ({ trust: keys.trust, counts: keys.counts }));
    this.keys = keys;
    const { keeper, committer, situation } = this;
    const warn: InstallParts['warn'] = (warnings) => this.#warnings.push(...warnings.map(said));
    this.parts = {
      keys,
      keeper,
      committer,
      situation,
      before,
      warn,
      source: { ...licenseSource({ path }), ...source },
    };
  }

  /** The refusal in words, or what is installed. */
  async install(pasted: string): Promise<unknown> {
    const installed = await installPasted(pasted, this.parts);
    expect(await this.store.readLock().catch(() => undefined)).toBeUndefined();
    if ('code' in installed) return said(installed);
    const { outcome, file, decision } = installed;
    return { outcome, file: file && textOf(file), decision: told(decision), warnings: this.warnings() };
  }

  warnings(): readonly string[] {
    return this.#warnings.splice(0);
  }

  async preview(pasted: string): Promise<unknown> {
    const found = await previewPasted(pasted, this.parts);
    return 'code' in found ? said(found) : found;
  }
}

const IN_TEXT = licenseSource({ text: 'a license' });
const textInFile = (): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
const before = (): Decision => {
  const one = examined(first, at(NBF));
  return { inForce: one, current: one, notices: [] };
};

/** A store in memory of which all writes after the first ones fail. */
function filling(writes: number): Partial<StateStore> {
  const memory = memoryStore();
  let left = writes;
  return {
    ...memory,
    name: 'the store',
    write: (document, expected) =>
      left-- > 0 ? memory.write(document, expected) : Promise.reject(new Error('no space')),
  };
}

describe('a license that is pasted', () => {
  it('comes into force, with its facts in the preview', async () => {
    const site = new Site({ before: before() });
    const text = textOf(inGrace);
    const grace = EXP + 10 * 86_400;
    const preview = await site.preview(text);
    expect(preview).toStrictEqual({
      ok: true,
      outcome: 'in_force',
      license: licenseFacts(license),
      graceUntil: grace,
    });
    expect([Object.isFrozen(preview), site.counters(), textInFile()]).toEqual([true, [], undefined]);
    expect(await site.install(text)).toStrictEqual({
      outcome: 'in_force',
      file: text,
      decision: { inForce: '7 file active', current: '7 file active', notices: [] },
      warnings: [CREATED],
    });
    expect([site.counters(), textInFile()]).toEqual([[7], text]);
  });

  it('waits beside the license of today where it is a renewal, and the product is not told yet', async () => {
    const asked: string[] = [];
    const site = new Site({ before: before(), hooks: noting(asked) });
    await site.keeper.change(() => stateWith(first, NBF));
    expect(await site.preview(textOf(renewal))).toMatchObject({ outcome: 'waiting', license: { counter: 8 } });
    expect(await site.install(textOf(renewal))).toStrictEqual({
      outcome: 'waiting',
      file: textOf(renewal),
      decision: { current: '7 file active', waiting: '8 file not_yet_valid' },
      warnings: [],
    });
    expect([site.counters(), textInFile(), asked]).toEqual([[7], textOf(renewal), ['before 7 8']]);
  });

  it('is refused with its reason, with nothing changed', async () => {
    const site = new Site();
    await site.keeper.change(() => stateWith(first, NBF));
    const rolledBack = 'counter_rolled_back: its counter is 6, and 7 was accepted before';
    for (const [pasted, refusal] of [
      [textOf(older), rolledBack],
      ['', expect.stringMatching(/^armor_malformed: /)],
    ] as const) {
      expect(await site.preview(pasted)).toEqual(refusal);
      expect(await site.install(pasted)).toEqual(refusal);
    }
    expect([site.counters(), textInFile()]).toEqual([[7], undefined]);
  });

  it('is refused where it could not be written, before anything else', async () => {
    const nowhere = new Site({ source: IN_TEXT, store: { read: () => Promise.reject(new Error('no state')) } });
    expect([await nowhere.preview('any'), await nowhere.install('any')]).toEqual([NOT_IN_FILE, NOT_IN_FILE]);
    const unread = 'state_unwritable: the store: no state';
    const lost = new Site({ store: { read: () => Promise.reject(new Error('no state')) } });
    expect([await lost.preview('any'), await lost.install('any')]).toEqual([unread, unread]);
    expect(await new Site({ store: filling(0) }).install('any')).toBe('state_unwritable: the store: no space');
  });

  it('is refused while another process keeps the lock', async () => {
    const site = new Site();
    const lock = await acquireLock(site.store, 0);
    const installed = await installPasted(textOf(first), site.parts);
    expect('code' in installed && said(installed)).toBe('state_locked: another process used the state for 10 seconds');
    await lock?.release();
  });

  it('leaves the file where the product refuses it, or where the file cannot be replaced', async () => {
    writeFileSync(path, 'the old one');
    const fails = (): never => {
      throw new Error('no room');
    };
    expect(await new Site({ hooks: { beforeCommit: fails } }).install(textOf(first))).toBe('commit_refused: no room');
    const site = new Site({ source: { replace: fails } });
    expect(await site.install(textOf(first))).toBe('file_unwritable: no room');
    expect([site.counters(), textInFile(), site.warnings()]).toEqual([[], 'the old one', [CREATED]]);
  });

  it('puts the file back as it was where the state cannot be written', async () => {
    const full = 'state_unwritable: the store: no space';
    expect(await new Site({ store: filling(1) }).install(textOf(first))).toBe(full);
    expect(textInFile()).toBeUndefined();
    writeFileSync(path, 'the old one');
    expect(await new Site({ store: filling(1) }).install(textOf(first))).toBe(full);
    expect(textInFile()).toBe('the old one');
    const restore = (): never => {
      throw new Error('no room');
    };
    expect(await new Site({ store: filling(1), source: { restore } }).install(textOf(first))).toBe(full);
    expect(textInFile()).toBe(textOf(first));
  });

  it('is refused with the warnings of the write that showed that it had lapsed meanwhile', async () => {
    let memory = memoryStore();
    const store: Partial<StateStore> = {
      read: () => memory.read(),
      write: (document, expected) => memory.write(document, expected),
    };
    const beforeCommit = (): void => {
      memory = memoryStore();
      site.clock = EXP;
    };
    const site = new Site({ hooks: { beforeCommit }, store });
    expect(await site.install(textOf(first))).toBe('lapsed: it was in force until 2028-01-01T00:00:00Z');
    expect([site.warnings(), textInFile()]).toEqual([[CREATED, CREATED], undefined]);
  });

  it('is in force with warnings about the lock, the copies and the product', async () => {
    const hooks = { afterCommit: () => Promise.reject(new Error('no room')) };
    const readLock = (): Promise<never> => Promise.reject(new Error('no locks'));
    expect(await new Site({ hooks, store: { readLock } }).install(textOf(first))).toMatchObject({
      warnings: ['state_lock_unusable: the store: no locks', CREATED, 'after_commit_failed: no room'],
    });
  });
});

describe('keysets that are pasted', () => {
  const both = `${keyset(2)}${byNewKey}`;

  it('are taken, also where no license can be installed', async () => {
    const site = new Site({ builtIn: CHAIN, source: IN_TEXT, before: before() });
    const preview = await site.preview(keyset(2));
    expect(preview).toStrictEqual({ ok: true, outcome: 'keyset', keysetVersion: 2 });
    expect([Object.isFrozen(preview), site.keys.version]).toEqual([true, 1]);
    expect(await site.install(` \n${keyset(2)}\n`)).toStrictEqual({
      outcome: 'keyset',
      file: undefined,
      decision: { inForce: '7 file active', current: '7 file active', notices: [] },
      warnings: [CREATED],
    });
    expect([site.keys.version, textInFile()]).toEqual([2, undefined]);
    expect([await site.preview(both), await site.install(both)]).toEqual([NOT_IN_FILE, NOT_IN_FILE]);
  });

  it('are taken before the license beside them is judged, in any order, and stay where that is refused', async () => {
    for (const pasted of [both, `${byNewKey}\r\n${keyset(2)}`]) {
      const site = new Site({ builtIn: CHAIN });
      expect(await site.preview(byNewKey)).toMatch(/^key_unknown: /);
      expect(await site.preview(pasted)).toMatchObject({ outcome: 'in_force', keysetVersion: 2 });
      expect(site.keys.version).toBe(1);
      expect(await site.install(pasted)).toMatchObject({ outcome: 'in_force', file: byNewKey.trim() });
    }
    const site = new Site({ builtIn: CHAIN });
    expect(await site.install(`${keyset(2)}${textOf(first)}`)).toMatch(/^key_unknown: /);
    expect([site.keys.version, site.counters()]).toEqual([2, []]);
  });

  it('may be several blocks', async () => {
    const site = new Site({ builtIn: CHAIN });
    expect(await site.install(`${keyset(2)}${byNewKey}${keyset(3)}`)).toMatchObject({ outcome: 'in_force' });
    expect(site.keys.version).toBe(3);
  });

  it('are refused with the whole installation where no root signed them, or the product takes none', async () => {
    const site = new Site({ builtIn: CHAIN });
    const forged = `${keyset(2, 'evil')}${byNewKey}`;
    expect(await site.preview(forged)).toMatch(/^keyset_threshold_previous: /);
    expect(await site.install(forged)).toMatch(/^keyset_threshold_previous: /);
    expect([site.keys.version, textInFile()]).toEqual([1, undefined]);
    expect(await new Site().install(keyset(2))).toBe(
      'install_not_possible: this product has its keys built in, and takes no keysets',
    );
  });

  it('are refused with the whole installation where the state cannot be written with them', async () => {
    for (const pasted of [both, keyset(2)])
      expect(await new Site({ builtIn: CHAIN, store: filling(1) }).install(pasted)).toBe(
        'state_unwritable: the store: no space',
      );
    expect(textInFile()).toBeUndefined();
  });
});
