/** One installation, with what is recorded of it, and everything that may come between a preview and its confirmation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { baseOf, Installer, type Installation } from '../../../../verifier/admin/installer.ts';
import { checkOptions, type AdminOptions, type AuditEntry } from '../../../../verifier/admin/options.ts';
import { digestOf } from '../../../../verifier/admin/pasted.ts';
import { SealedTokens } from '../../../../verifier/admin/sealed-tokens.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import type { LicenseView, LiveLicense } from '../../../../verifier/runtime/index.ts';
import { Product, textOf } from '../runtime/product.ts';
import { licenseFile, licenseFileOf, NBF } from '../sample.ts';
import { FREE, freeView, LICENSE, viewOf } from './views.ts';

const PREVIEW_SECONDS = 900;
const operator = { name: 'Ola', session: 'session-1' };

let product: Product;
let license: LiveLicense;
let audited: AuditEntry[];
let installer: Installer;
let renewal: string;

function make(changes: Partial<AdminOptions> = {}): void {
  audited = [];
  const clock = (): number => product.clock;
  const options = checkOptions({
    origin: 'https://a.example',
    authorize: () => operator,
    stepUp: ({ digest }) => digest,
    audit: (entry) => {
      expect(Object.isFrozen(entry)).toBe(true);
      audited.push(entry);
    },
    secret: new Uint8Array(32),
    clock,
    ...changes,
  });
  installer = new Installer(license, options, new SealedTokens(new Uint8Array(32), clock));
}

beforeEach(async () => {
  product = new Product();
  product.keepStateInMemory();
  await product.dropLicense({ ctr: 7 });
  license = await product.start();
  renewal = textOf(await licenseFile({ ctr: 8 }));
  make();
});
afterEach(() => product.remove());

/** What the form of a preview sends. */
function asked(text: string = renewal): Installation {
  const base = baseOf(license.view());
  const request = new Request('https://a.example');
  return { operator, request, text, token: installer.token(operator, text, base), base, proof: 'proof' };
}

describe('an installation', () => {
  it('asks the person, and records what is installed before and after it', async () => {
    const questions: unknown[] = [];
    make({
      stepUp: (question) => {
        questions.push(question);
        product.clock += 1;
        return question.digest;
      },
      audit: (entry) => {
        audited.push(entry);
        product.clock += 1;
      },
    });
    const previous = license.view().license;
    const installation = asked();
    const digest = digestOf(renewal);
    const done = await installer.install(installation);
    const next = license.view().license;
    expect([next?.counter, previous?.counter]).toEqual([8, 7]);
    expect(done).toStrictEqual({
      kind: 'finished',
      result: { ok: true, outcome: 'in_force' },
      isRecorded: true,
      next,
    });
    expect(questions).toStrictEqual([{ operator, digest, proof: 'proof', request: installation.request }]);
    const entry = { operator: { name: 'Ola' }, digest, license: next, previous };
    expect(audited).toStrictEqual([
      { ...entry, phase: 'before', at: NBF + 1 },
      { ...entry, phase: 'after', at: NBF + 2, result: 'in_force' },
    ]);
  });

  it('records the version of keysets, and a license only where there is one', async () => {
    const version = (number: number, keys: readonly string[]): Uint8Array =>
      keysetBlock({ version: number, roots: ['root'], keys: keys.map((name) => issuingKey(name)) }, ['root']);
    product.drop('');
    license = await product.start({
      environment: { ...product.options().environment, NODE_ENV: 'test' },
      keys: builtInChain(version(1, ['old']), { issuer: KEYSET_ISSUER }),
    });
    make();
    const keyset = textOf(version(2, ['old', 'new']));
    const done = await installer.install(asked(keyset));
    expect(done).toStrictEqual({
      kind: 'finished',
      result: { ok: true, outcome: 'keyset' },
      isRecorded: true,
      next: undefined,
    });
    const entry = { operator: { name: 'Ola' }, digest: digestOf(keyset), at: NBF };
    expect(audited).toStrictEqual([
      { ...entry, phase: 'before', keysetVersion: 2 },
      { ...entry, phase: 'after', keysetVersion: 2, result: 'keyset' },
    ]);
    const both = `${textOf(licenseFileOf(testKey('newest'), { ctr: 8 }))}\n${textOf(version(3, ['old', 'new', 'newest']))}`;
    expect(await installer.install(asked(both))).toMatchObject({ kind: 'finished', next: { counter: 8 } });
    expect(audited.slice(2).map(({ license: next, keysetVersion }) => [next?.counter, keysetVersion])).toEqual([
      [8, 3],
      [8, 3],
    ]);
  });

  it('that is refused is recorded with the reason, and counts as one refusal', async () => {
    const old = textOf(await licenseFile({ ctr: 6 }));
    const done = await installer.install(asked(old));
    expect(done).toMatchObject({
      kind: 'finished',
      result: { ok: false, refusal: { code: 'counter_rolled_back' } },
      isRecorded: true,
    });
    expect(done).toHaveProperty('next', undefined);
    const entry = { operator: { name: 'Ola' }, digest: digestOf(old), at: NBF, previous: license.view().license };
    expect(audited).toStrictEqual([
      { ...entry, phase: 'before' },
      { ...entry, phase: 'after', result: 'counter_rolled_back' },
    ]);
    expect(license.view().refusals.count).toBe(1);
  });

  it('that ends with an error of the program is recorded as such', async () => {
    const broken = { ...license, install: () => Promise.reject(new Error('defect')) };
    [license, audited] = [broken, []];
    make();
    expect(await installer.install(asked())).toStrictEqual({ kind: 'failed', isRecorded: true });
    expect(audited.map(({ phase, result }) => [phase, result])).toEqual([
      ['before', undefined],
      ['after', 'failed'],
    ]);
  });

  it('leaves the next one its turn where it failed', async () => {
    const whole = license;
    let calls = 0;
    const preview: LiveLicense['preview'] = (text) =>
      ++calls === 1 ? Promise.reject(new Error('defect')) : whole.preview(text);
    license = { ...whole, preview };
    make();
    await expect(installer.install(asked())).rejects.toThrow('defect');
    expect(await installer.install(asked())).toMatchObject({ kind: 'finished', result: { ok: true } });
  });
});

describe('a preview', () => {
  it('can be confirmed for fifteen minutes', async () => {
    const [first, second] = [asked(), asked()];
    product.clock += PREVIEW_SECONDS;
    expect(await installer.install(first)).toStrictEqual({ kind: 'expired' });
    product.clock -= 1;
    expect(await installer.install(second)).toMatchObject({ kind: 'finished' });
  });

  it('that expires while the person is asked installs nothing', async () => {
    make({
      stepUp: ({ digest }) => {
        product.clock += PREVIEW_SECONDS;
        return digest;
      },
    });
    expect(await installer.install(asked())).toStrictEqual({ kind: 'expired' });
    expect(audited).toEqual([]);
  });

  it('of what is no longer here is not asked about', async () => {
    let questions = 0;
    make({
      stepUp: ({ digest }) => {
        questions++;
        return digest;
      },
    });
    const installation = asked();
    await license.install(textOf(await licenseFile({ ctr: 9 })));
    expect(await installer.install(installation)).toStrictEqual({ kind: 'changed' });
    expect([questions, audited]).toEqual([0, []]);
  });

  it('of another session is forged', async () => {
    const stranger = { name: 'Ola', session: 'session-2' };
    expect(await installer.install({ ...asked(), operator: stranger })).toStrictEqual({ kind: 'forged' });
  });

  it('is used once: its second confirmation says so, whoever remembers it', async () => {
    const notes: unknown[] = [];
    make({
      usedTokens: {
        use: (id, until) => {
          notes.push([id, until]);
          return notes.length === 1;
        },
      },
    });
    const installation = asked(textOf(await licenseFile({ ctr: 7 })));
    expect(await installer.install(installation)).toMatchObject({ kind: 'finished' });
    expect(await installer.install(installation)).toStrictEqual({ kind: 'used' });
    const [, id] = installation.token.split('.');
    expect(notes).toEqual([[id, NBF + PREVIEW_SECONDS]]);
    // Another one, which another replica has seen.
    expect(await installer.install(asked())).toStrictEqual({ kind: 'used' });
    expect(audited.map(({ phase }) => phase)).toEqual(['before', 'after']);
  });

  it.each([
    ['an error', () => Promise.reject(new Error('away'))],
    ['a text', () => 'yes' as never],
    ['nothing', () => undefined as never],
  ])('of which %s is all that is known was perhaps used', async (_what, use) => {
    make({ usedTokens: { use } });
    expect(await installer.install(asked())).toStrictEqual({ kind: 'unknown_use' });
    expect(audited).toEqual([]);
  });
});

describe('a step-up', () => {
  it.each([
    ['another digest', () => 'ab'.repeat(32)],
    ['yes', () => true as never],
    ['the digest as bytes', ({ digest }: { digest: string }) => Buffer.from(digest) as never],
    ['an error', () => Promise.reject(new Error('away'))],
  ])('that gives %s confirms nothing, and is recorded', async (_what, stepUp) => {
    make({ stepUp });
    expect(await installer.install(asked())).toStrictEqual({ kind: 'not_confirmed' });
    const digest = digestOf(renewal);
    expect(audited).toStrictEqual([{ phase: 'not_confirmed', operator: { name: 'Ola' }, digest, at: NBF }]);
    expect(license.view().license?.counter).toBe(7);
  });
});

describe('an audit log', () => {
  it.each([
    ['before', { kind: 'not_recorded' }, 7],
    ['after', { kind: 'finished', isRecorded: false }, 8],
  ])('that fails %s the installation decides whether it happens', async (failing, expected, counter) => {
    make({
      audit: ({ phase }) => {
        if (phase === failing) throw new Error('disk full');
      },
    });
    expect(await installer.install(asked())).toMatchObject(expected);
    expect(license.view().license?.counter).toBe(counter);
  });
});

describe('what a preview compares with', () => {
  it('is another value once any of its parts is another one', () => {
    const views: readonly LicenseView[] = [
      viewOf(),
      viewOf({ license: { ...LICENSE, id: 'b' } }),
      viewOf({ license: { ...LICENSE, counter: 8 } }),
      viewOf({ waiting: LICENSE }),
      viewOf({ waiting: { ...LICENSE, id: 'b' } }),
      viewOf({ waiting: { ...LICENSE, counter: 8 } }),
      viewOf({ entitlements: FREE }),
      viewOf({ entitlements: undefined }),
      viewOf({ keysetVersion: 1 }),
      viewOf({ keysetVersion: 2 }),
      freeView(),
    ];
    const bases = views.map(baseOf);
    expect(new Set(bases).size).toBe(views.length);
    for (const base of bases) expect(base).toMatch(/^[0-9a-f]{64}$/);
    expect(baseOf(viewOf({ judgedAt: NBF + 5, warnings: [], refusals: { count: 5 } }))).toBe(bases[0]);
  });
});
