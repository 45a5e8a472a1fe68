/** The list of docs/runtime.md, "What a customer may do", entry by entry. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, type LicenseOptions, type LiveLicense } from '../../../../verifier/runtime/index.ts';
import { decodeState, encodeState } from '../../../../verifier/runtime/state-document.ts';
import { makeTrust } from '../../../../verifier/trust.ts';
import { ROOT } from '../../../support/run-cli.ts';
import { compositeKey, ed25519Key, EXP, IAT, licenseFile, NBF, trusted } from '../sample.ts';
import { DAY, Product, textOf } from './product.ts';

const YEAR = 365 * DAY;
const GRACE = 30 * DAY;
const thisYear = { ctr: 1, grace: GRACE };
const nextYear = { ctr: 2, iat: EXP - 30 * DAY, nbf: EXP, exp: EXP + YEAR, grace: GRACE, tier: 'renewed' };

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(async () => {
  await product.remove();
});

async function first(changes: Partial<LicenseOptions> = {}): Promise<LiveLicense> {
  await product.dropLicense(thisYear);
  return product.start(changes);
}

async function expectFull(counter: number, changes: Partial<LicenseOptions> = {}): Promise<void> {
  const license = await product.start(changes);
  expect(license.state).toBe('active');
  expect(license.view().license?.counter).toBe(counter);
  await license.close();
}

const ENTRIES: readonly (readonly [entry: string, check: () => Promise<void>])[] = [
  [
    'Stop and start the product at any time, as often as he likes.',
    async () => {
      await (await first()).close();
      for (let i = 0; i < 5; i++) await expectFull(1);
    },
  ],
  [
    'Paste a renewal before its time: the license before it goes on until then, over restarts too.',
    async () => {
      const license = await first();
      product.clock = EXP - 20 * DAY;
      expect(await license.install(textOf(await licenseFile(nextYear)))).toEqual({ ok: true, outcome: 'waiting' });
      await license.close();
      await expectFull(1);
      product.clock = EXP;
      await expectFull(2);
    },
  ],
  [
    'Put a renewal in place as a file before its time, and restart.',
    async () => {
      await (await first()).close();
      product.clock = EXP - 20 * DAY;
      await product.dropLicense(nextYear);
      const license = await product.start();
      expect(license.view().license?.counter).toBe(1);
      await product.pass(20 * DAY, license);
      expect(license.entitlements?.tier).toBe('renewed');
    },
  ],
  [
    'Renew in grace, or a year after the license lapsed.',
    async () => {
      const license = await first();
      product.clock = EXP + DAY;
      expect(await license.install(textOf(await licenseFile(nextYear)))).toMatchObject({ ok: true });
      await license.close();
      product.clock = EXP + 2 * YEAR;
      expect((await product.start()).state).toBe('free_tier');
      await product.dropLicense({ ...nextYear, ctr: 3, iat: EXP + 2 * YEAR, nbf: EXP + 2 * YEAR, exp: EXP + 3 * YEAR });
      await expectFull(3);
    },
  ],
  [
    'Paste the same license again.',
    async () => {
      const license = await first();
      expect(await license.install(product.file())).toEqual({ ok: true, outcome: 'in_force' });
      await license.close();
      await expectFull(1);
    },
  ],
  [
    'Save the file with Windows line ends, or with blank lines around it.',
    async () => {
      await (await first()).close();
      product.drop(`\r\n\t ${product.file().replaceAll('\n', '\r\n')}\r\n\r\n`);
      await expectFull(1);
    },
  ],
  [
    'Put an old, a foreign or a broken file in place by mistake while the product runs, and the right one back.',
    async () => {
      await product.dropLicense({ ...thisYear, ctr: 2 });
      const right = product.file();
      const license = await product.start();
      for (const wrong of [textOf(await licenseFile(thisYear)), right.slice(0, 200), '', 'x'.repeat(200_000)]) {
        product.drop(wrong);
        await license.refresh();
        expect(license.state).toBe('active');
      }
      product.drop(right);
      await license.refresh();
      expect(license.view().warnings.map(({ code }) => code)).toEqual(['state_created']);
      await license.close();
      await expectFull(2);
    },
  ],
  [
    'Start once with a clock that is decades ahead or behind.',
    async () => {
      await (await first()).close();
      for (const wrong of [NBF + 70 * YEAR, 0]) {
        product.clock = wrong;
        const license = await product.start();
        await product.pass(DAY, license);
        await license.close();
        product.clock = NBF + DAY;
        await expectFull(1);
      }
    },
  ],
  [
    'Leave the product off for months.',
    async () => {
      await (await first()).close();
      product.clock = EXP - DAY;
      await expectFull(1);
    },
  ],
  [
    'Move to a new machine with nothing but the license.',
    async () => {
      const license = await first();
      const file = product.file();
      await license.close();
      await product.remove();
      product = new Product();
      product.drop(file);
      await expectFull(1);
    },
  ],
  [
    'Lose, or damage, the state in one of several stores.',
    async () => {
      const database = memoryStore();
      await (await first({ stores: [database] })).close();
      for (const damaged of ['', 'x', undefined]) {
        if (damaged === undefined) product.loseState();
        else writeFileSync(product.statePath, damaged);
        await expectFull(1, { stores: [database] });
      }
      await expectFull(1);
    },
  ],
  [
    'Put back a backup of the license and its state, or of the state only.',
    async () => {
      const license = await first();
      const [file, state] = [readFileSync(product.path), readFileSync(product.statePath)];
      product.clock = EXP;
      const renewal = textOf(await licenseFile(nextYear));
      await license.install(renewal);
      await license.close();
      writeFileSync(product.statePath, state);
      await expectFull(2);
      writeFileSync(product.path, file);
      writeFileSync(product.statePath, state);
      expect((await product.start()).state).toBe('grace');
      product.drop(renewal);
      await expectFull(2);
    },
  ],
  [
    'Go back to the release before, and forward again: what a later release noted in the state is kept for it.',
    async () => {
      await (await first()).close();
      const decoded = decodeState(readFileSync(product.statePath));
      if (!decoded.ok) throw new Error(decoded.detail);
      const unknown = new Map([['later', 'note']]);
      writeFileSync(product.statePath, encodeState({ ...decoded.state, unknown }));
      await expectFull(1);
      expect(decodeState(readFileSync(product.statePath))).toMatchObject({ ok: true, state: { unknown } });
    },
  ],
  [
    'Start several replicas at once, with clocks that are hours apart.',
    async () => {
      await product.dropLicense(thisYear);
      const hours = [-5, -1, 0, 1, 5];
      const replicas = await Promise.all(
        hours.map((hour) =>
          product.start({ clocks: { clock: () => NBF + DAY + hour * 3600, monotonic: () => product.running } }),
        ),
      );
      expect(replicas.map(({ state }) => state)).toEqual(hours.map(() => 'active'));
    },
  ],
  [
    'Paste a renewal on one of several replicas that share a store: the others follow, also where each has a file of its own.',
    async () => {
      const shared: Partial<LicenseOptions> = { stores: [memoryStore()] };
      const at = (name: string): Partial<LicenseOptions> => ({
        ...shared,
        environment: {
          ...product.options().environment,
          LICENSE_PATH: join(product.folder, name),
          LICENSE_STATE_PATH: '',
        },
      });
      for (const name of ['a', 'b']) writeFileSync(join(product.folder, name), await licenseFile(thisYear));
      const [a, b] = [await product.start(at('a')), await product.start(at('b'))];
      await a.install(textOf(await licenseFile({ ...thisYear, ctr: 2, tier: 'renewed' })));
      await product.pass(600, b);
      expect(b.entitlements?.tier).toBe('renewed');
      await b.close();
      await expectFull(2, at('b'));
    },
  ],
  [
    'Change from a license by Ed25519 to a composite one.',
    async () => {
      const license = await first();
      expect(await license.install(textOf(await licenseFile({ ...thisYear, ctr: 2 }, compositeKey)))).toMatchObject({
        ok: true,
      });
      await license.close();
      await expectFull(2, { compiledIn: { requireComposite: true } });
    },
  ],
  [
    'Take a license of another of his deployments, if it was issued later.',
    async () => {
      const here: Partial<LicenseOptions> = { deployment: 'prod-uk' };
      const license = await first(here);
      const other = textOf(await licenseFile({ dep: 'prod-uk', iat: IAT + 1, ctr: 1 }));
      expect(await license.install(other)).toMatchObject({ ok: true });
      await license.close();
      await expectFull(1, here);
    },
  ],
  [
    "Be reissued after the vendor revoked a key that was stolen, whatever the thief's licenses said.",
    async () => {
      const forged = { ctr: Number.MAX_SAFE_INTEGER, iat: EXP - DAY, seats: 9999 };
      await (await first()).close();
      await product.dropLicense(forged);
      await expectFull(Number.MAX_SAFE_INTEGER);
      const keys = makeTrust({ keys: [trusted(ed25519Key, { status: 'revoked' }), trusted(compositeKey)] });
      expect((await product.start({ keys })).state).toBe('free_tier');
      await product.dropLicense({ ...thisYear, ctr: 2 }, compositeKey);
      await expectFull(2, { keys });
    },
  ],
];

describe('a customer may', () => {
  it.each(ENTRIES)('%s', async (_entry, check) => {
    await check();
  });

  it('do all that the document lists, and each of it is tested here', () => {
    const text = readFileSync(join(ROOT, 'docs/runtime.md'), 'utf8');
    const section = text.slice(text.indexOf('\n## What a customer may do\n'));
    const listed = section.slice(0, section.indexOf('\n## ', 1)).replaceAll('\n  ', ' ');
    expect([...listed.matchAll(/^- (.*)$/gm)].map(([, entry]) => entry)).toEqual(ENTRIES.map(([entry]) => entry));
  });
});
