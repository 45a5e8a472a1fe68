/** The list of docs/runtime.md, "What a customer may do", entry by entry. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  memoryStore,
  type LicenseOptions,
  type LiveLicense,
  type StateStore,
} from '../../../../verifier/runtime/index.ts';
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
    'Paste an older license again, or renewals in any order. A license that is older than the one in force changes nothing. If two renewals are pasted before their time, the one that was pasted last waits.',
    async () => {
      const license = await first();
      const [second, third] = [
        textOf(await licenseFile({ ...thisYear, ctr: 2, tier: 'second' })),
        textOf(await licenseFile({ ...thisYear, ctr: 3, tier: 'third' })),
      ];
      expect(await license.install(third)).toMatchObject({ ok: true });
      for (const older of [second, textOf(await licenseFile(thisYear))])
        expect(await license.install(older)).toMatchObject({ ok: false, refusal: { code: 'counter_rolled_back' } });
      expect(product.file()).toBe(third);
      const [next, afterNext] = [
        textOf(await licenseFile({ ...nextYear, ctr: 4 })),
        textOf(await licenseFile({ ...nextYear, ctr: 5, nbf: EXP + YEAR, exp: EXP + 2 * YEAR, tier: 'later' })),
      ];
      for (const early of [afterNext, next])
        expect(await license.install(early)).toEqual({ ok: true, outcome: 'waiting' });
      await license.close();
      product.clock = EXP;
      await expectFull(4);
      product.drop(afterNext);
      product.clock = EXP + YEAR;
      await expectFull(5);
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
    'Start for the first time with a clock of 1970, as after a dead battery, which is set right while the product runs.',
    async () => {
      product.clock = 0;
      const license = await first();
      expect(license.state).toBe('free_tier');
      await product.pass(600, license);
      product.clock = NBF + DAY;
      await license.refresh();
      expect(license.state).toBe('active');
      await license.close();
      await expectFull(1);
    },
  ],
  [
    'Change the time zone, or have a clock that jumps by an hour twice a year.',
    async () => {
      product.clock = NBF + DAY;
      const license = await first();
      const zone = process.env['TZ'];
      try {
        const views = ['UTC', 'Pacific/Kiritimati', 'America/New_York'].map((name) => {
          process.env['TZ'] = name;
          return license.view();
        });
        expect(views).toEqual([views[0], views[0], views[0]]);
      } finally {
        if (zone === undefined) delete process.env['TZ'];
        else process.env['TZ'] = zone;
      }
      for (const jump of [3600, -3600, -3600, 3600]) {
        product.clock += jump;
        await product.pass(60, license);
        expect(license.state).toBe('active');
      }
      await license.close();
      await expectFull(1);
    },
  ],
  [
    'Suspend the host for days, or restore a snapshot of it while the product runs.',
    async () => {
      const license = await first();
      await product.pass(600, license);
      const [file, state] = [product.file(), readFileSync(product.statePath)];
      // While a host is suspended its running time stops, and its clock is right afterwards.
      product.clock += 9 * DAY;
      await license.refresh();
      expect(license.state).toBe('active');
      await license.install(textOf(await licenseFile({ ...thisYear, ctr: 2 })));
      await license.close();
      product.drop(file);
      writeFileSync(product.statePath, state);
      await expectFull(1);
      product.clock -= 5 * DAY;
      await expectFull(1);
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
    'Clone the machine, and run both.',
    async () => {
      const license = await first();
      const clone = new Product();
      try {
        clone.drop(product.file());
        writeFileSync(clone.statePath, readFileSync(product.statePath));
        const other = await clone.start();
        const renewal = textOf(await licenseFile({ ...thisYear, ctr: 2 }));
        for (const one of [license, other]) expect(await one.install(renewal)).toMatchObject({ ok: true });
        for (const [of, one] of [[product, license] as const, [clone, other] as const]) await of.pass(600, one);
        expect([license.state, other.state]).toEqual(['active', 'active']);
      } finally {
        await clone.remove();
      }
    },
  ],
  [
    'Move the volume to another container or host after a crash, with the lock and the lease that the crashed one left.',
    async () => {
      await (await first()).close();
      const decoded = decodeState(readFileSync(product.statePath));
      if (!decoded.ok) throw new Error(decoded.detail);
      const lease = { holder: 'elsewhere 1 2 1', beat: 7 };
      writeFileSync(product.statePath, encodeState({ ...decoded.state, lease }));
      writeFileSync(`${product.statePath}.lock`, 'elsewhere 1 2 1 0');
      await product.dropLicense({ ...thisYear, ctr: 2 });
      const license = await product.start();
      expect(license.view().license?.counter).toBe(2);
      await product.pass(600, license);
      await product.pass(600, license);
      await license.close();
      await expectFull(2);
    },
  ],
  [
    'Give the license as `LICENSE_TEXT` in place of a file, and go back.',
    async () => {
      await (await first()).close();
      const asText = (text: string): Partial<LicenseOptions> => ({
        environment: { ...product.options().environment, LICENSE_PATH: '', LICENSE_TEXT: text },
      });
      await expectFull(1, asText(product.file()));
      const renewal = textOf(await licenseFile({ ...thisYear, ctr: 2 }));
      await expectFull(2, asText(renewal));
      product.drop(renewal);
      await expectFull(2);
    },
  ],
  [
    'Move the state from a file into a database, and back.',
    async () => {
      await (await first()).close();
      const database = memoryStore();
      await expectFull(1, { stores: [database] });
      const environment = { ...product.options().environment, LICENSE_STATE_PATH: '' };
      await product.dropLicense({ ...thisYear, ctr: 2 });
      await expectFull(2, { stores: [database], environment });
      await expectFull(2, { stores: [database] });
      await expectFull(2);
      await product.dropLicense(thisYear);
      expect((await product.refusal()).code).toBe('counter_rolled_back');
    },
  ],
  [
    'Delete the state of a product that is off, and start it with its newest license.',
    async () => {
      const license = await first();
      await license.install(textOf(await licenseFile({ ...thisYear, ctr: 2 })));
      await license.close();
      product.loseState();
      await expectFull(2);
    },
  ],
  [
    'Delete the folder of the state while the product runs, and make it again.',
    async () => {
      const folder = join(product.folder, 'volume');
      mkdirSync(folder);
      const path = join(folder, 'license.state');
      const changes = { environment: { ...product.options().environment, LICENSE_STATE_PATH: path } };
      const license = await first(changes);
      rmSync(folder, { recursive: true });
      await product.pass(600, license);
      expect(license.state).toBe('active');
      expect(license.view().warnings.map(({ code }) => code)).toContain('state_unwritable');
      mkdirSync(folder);
      await product.pass(600, license);
      expect(existsSync(path)).toBe(true);
      await license.close();
      await expectFull(1, changes);
    },
  ],
  [
    'Run for a week on a disk that is full or read-only, and restart once it can be written.',
    async () => {
      const inner = memoryStore();
      let isFull = false;
      const full = (): Promise<never> => Promise.reject(new Error('no space left on device'));
      const store: StateStore = {
        ...inner,
        write: (document, expected) => (isFull ? full() : inner.write(document, expected)),
        swapLock: (expected, next) => (isFull ? full() : inner.swapLock(expected, next)),
      };
      const environment = { ...product.options().environment, LICENSE_STATE_PATH: '' };
      const license = await first({ stores: [store], environment });
      isFull = true;
      for (let hour = 0; hour < 7 * 24; hour++) await product.pass(3600, license);
      expect(license.state).toBe('active');
      expect(license.view().warnings.map(({ code }) => code)).toContain('state_unwritable');
      const renewal = textOf(await licenseFile({ ...thisYear, ctr: 2 }));
      expect(await license.install(renewal)).toMatchObject({ ok: false, refusal: { code: 'state_unwritable' } });
      isFull = false;
      expect(await license.install(renewal)).toMatchObject({ ok: true });
      await license.close();
      await expectFull(2, { stores: [store], environment });
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
    'Go back to the release before, and forward again: the earlier release keeps what the later one wrote into the state.',
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
    'Install the new license after the vendor revoked a stolen key, even if a license by the thief was in use here.',
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
