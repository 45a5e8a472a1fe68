/**
 * What an officer does with a device, from the doctor to the last try of the PIN, and what the doctor predicted before
 * each step.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../formats/error.ts';
import type { Check } from '../../../keys/private/pkcs11/client/index.ts';
import { csv, customers, row } from '../../support/batch-file.ts';
import { EXIT, exitCodeOf } from '../../support/exit-codes.ts';
import { CONSENTING, type RanHere } from '../../support/run-here.ts';
import type { Behavior, Generated } from '../../support/tokens/behaviors/behavior.ts';
import { DeviceSite } from './device-site.ts';

const BATCH_ROWS = 50;
const OPTIONS: Readonly<Record<Generated, readonly string[]>> = {
  ed25519: ['--algorithm', 'ed25519'],
  composite: [],
  wrapped: ['--wrapped'],
};
const WAYS = Object.keys(OPTIONS) as Generated[];

/** The exit code of the command that a check of the doctor predicts. */
const predictedExit = (outcome: unknown): number =>
  outcome === 'done' ? EXIT.done : exitCodeOf(String(outcome) as ErrorCode);

/** Why a step is left out on a device; undefined if it is not. */
type LeftOut = string | undefined;

/** The end of the title of a step. */
const why = (leftOut: LeftOut): string => (leftOut === undefined ? '' : ` (left out: ${leftOut})`);

const text = ({ code, stdout, stderr }: RanHere): string => `${code} ${stdout}${stderr}`;

/**
 * The steps of an officer as tests, for a describe block of one device.
 *
 * @param make the device with an empty token; default the simulated one
 */
export function officerSteps(behavior: Behavior, make = (): DeviceSite => new DeviceSite(behavior)): void {
  let device: DeviceSite;
  const kept: LeftOut = behavior.login === 'kept' ? 'a login of another program is in the way' : undefined;
  const signs = behavior.generates.length > 0 || behavior.adopts !== undefined;
  const signsNothing: LeftOut = signs ? undefined : (kept ?? 'it has no key that this toolkit can sign with');
  /** A PIN is given only to a token that asks for one. */
  const run = (...args: readonly string[]): Promise<RanHere> =>
    device.runWith(behavior.login === 'none' ? undefined : device.pinFile, args);
  /** The doctor's checks, which leave nothing in the token. */
  const checks = async (): Promise<readonly Check[]> => {
    const before = device.objects();
    const { stdout } = await run('hsm', 'doctor', 'h', '--json');
    expect(device.objects()).toEqual(before);
    return (JSON.parse(stdout) as { readonly checks: readonly Check[] }).checks;
  };
  const checkOf = async (name: string): Promise<Check['data']> =>
    (await checks()).find((check) => check.name.startsWith(name))?.data;
  let generation: Check['data'];
  const loginsOf = async (action: () => Promise<unknown>): Promise<number> => {
    const before = device.logins().length;
    await action();
    return device.logins().length - before;
  };
  beforeAll(async () => {
    device = make();
    expect(await device.init()).toMatchObject({ code: 0 });
  });
  afterAll(() => device?.remove());

  const notKept: LeftOut = kept === undefined ? 'no login of another program is in the way' : undefined;
  it.skipIf(notKept !== undefined)(
    `is not used, and says why, at one login a run and none that is repeated${why(notKept)}`,
    async () => {
      for (const args of [
        ['hsm', 'doctor', 'h'],
        ['key', 'generate', '--name', 'k', '--algorithm', 'ed25519'],
      ]) {
        let done: RanHere | undefined;
        expect(await loginsOf(async () => (done = await run(...args)))).toBe(1);
        expect(done?.code).toBe(EXIT.signingFailed);
        expect(`${done?.stdout}${done?.stderr}`).toMatch(/CKR_USER_(?:ANOTHER_)?ALREADY_LOGGED_IN/);
      }
      expect(device.objects()).toEqual([]);
    },
  );

  it.skipIf(kept !== undefined)(
    `predicts for an empty token that there is no pair to adopt, and no key to issue with${why(kept)}`,
    async () => {
      const found = await checks();
      const outcomeOf = (name: string): unknown => found.find((check) => check.name === name)?.data?.['outcome'];
      generation = found.find(({ name }) => name === 'key generate')?.data;
      expect([outcomeOf('key adopt'), outcomeOf('issue')]).toEqual(['key_not_found', 'key_not_found']);
      const adopted = await run('key', 'adopt', '--name', 'nothing', '--keystore', 'h', '--id', '0101');
      expect(text(adopted)).toMatch(new RegExp(`^${predictedExit(outcomeOf('key adopt'))} `));
      const issued = await device.runWithout('issue', device.request, '--dry-run');
      expect(text(issued)).toMatch(new RegExp(`^${predictedExit(outcomeOf('issue'))} `));
    },
  );

  it.skipIf(kept !== undefined).each(WAYS)(
    `makes a key where it can and was predicted to, and leaves nothing where it cannot: %s${why(kept)}`,
    async (way) => {
      const before = device.objects();
      const done = await run('key', 'generate', '--name', `key-${way}`, ...OPTIONS[way]);
      expect(text(done)).toMatch(new RegExp(`^${predictedExit(generation?.[way])} `));
      if (behavior.generates.includes(way)) return expect(text(done)).toMatch(/^0 /);
      expect([EXIT.usage, EXIT.signingFailed]).toContain(done.code);
      expect(done.stderr).toMatch(/^ {2}→ \S/m);
      expect(device.objects()).toEqual(before);
    },
  );

  const makesItsOwn: LeftOut =
    behavior.adopts === undefined ? (signsNothing ?? 'the role that signs makes its keys') : undefined;
  it.skipIf(makesItsOwn !== undefined)(`adopts a pair that another role made${why(makesItsOwn)}`, async () => {
    const { label, id } = behavior.adopts ?? { label: '', id: '' };
    device.makeAdoptable(label, id);
    expect(await checkOf('key adopt')).toMatchObject({ outcome: 'done', id });
    expect(text(await run('key', 'adopt', '--name', 'adopted', '--keystore', 'h', '--id', id))).toMatch(/^0 /);
  });

  it.skipIf(!signs)(`issues a license that verifies, with one login${why(signsNothing)}`, async () => {
    const plan = await device.plan();
    expect(await checkOf('issue')).toMatchObject({ outcome: 'done' });
    let done: RanHere | undefined;
    const logins = await loginsOf(async () => (done = await run('issue', '--confirm', plan)));
    expect(done === undefined ? '' : text(done)).toMatch(/^0 /);
    expect(logins).toBe(behavior.login === 'none' ? 0 : 1);
    const [file = ''] = device.released();
    expect(text(await device.verify(file))).toMatch(/^0 /);
  });

  it.skipIf(!signs)(`issues a batch of ${BATCH_ROWS} with one login${why(signsNothing)}`, async () => {
    const file = join(device.folder, 'batch.csv');
    writeFileSync(file, csv(customers(BATCH_ROWS).map((customer) => row(customer))));
    const plan = (await device.runWithout('batch', file, '--new-customers', '--dry-run')).stdout.trim();
    const logins = await loginsOf(async () => expect(text(await run('batch', '--confirm', plan))).toMatch(/^0 /));
    expect(logins).toBe(behavior.login === 'none' ? 0 : 1);
    const files = device.released();
    expect(files).toHaveLength(1 + BATCH_ROWS);
    expect(text(await device.verify(files.at(-1) ?? ''))).toMatch(/^0 /);
  });

  it.skipIf(!signs)(
    `keeps the anchor in the token where it has data objects, and says so where it has none${why(signsNothing)}`,
    async () => {
      const pin = behavior.login === 'none' ? undefined : device.pinFile;
      const moved = await device.runWith(pin, ['ledger', 'anchor', '--to', 'token:h'], {}, CONSENTING);
      if (!behavior.dataObjects) {
        expect(text(moved)).toMatch(/^(?:2|7) [^]*data object/);
        expect(device.objects().filter((object) => object.class === 'data')).toEqual([]);
      } else expect(text(moved)).toMatch(/^0 /);
      const before = device.released().length;
      writeFileSync(device.request, readFileSync(device.request, 'utf8').replace('acme-gmbh', 'another-customer'));
      expect(text(await run('issue', '--confirm', await device.plan()))).toMatch(/^0 /);
      expect(device.released()).toHaveLength(before + 1);
      expect(await device.runWithout('ledger', 'verify')).toMatchObject({ code: 0 });
    },
  );

  const asksNoPin: LeftOut = signsNothing ?? (behavior.login === 'none' ? 'it asks for no PIN' : undefined);
  const neverLast: LeftOut =
    asksNoPin ?? (behavior.tries > 1 ? undefined : 'its flags never show that one try is left');

  describe('with a wrong PIN', () => {
    let wrong: string;
    beforeAll(() => {
      if (asksNoPin !== undefined) return;
      wrong = join(device.folder, 'wrong');
      writeFileSync(wrong, Buffer.from(behavior.pin).toReversed(), { mode: 0o600 });
      writeFileSync(device.request, readFileSync(device.request, 'utf8').replace('another-customer', 'third-customer'));
    });

    it.skipIf(asksNoPin !== undefined)(`shows it once in a run and signs nothing${why(asksNoPin)}`, async () => {
      const plan = await device.plan();
      const before = { entries: device.entries().length, logins: device.logins().length };
      const done = await device.runWith(wrong, ['issue', '--confirm', plan]);
      expect(text(done)).toMatch(new RegExp(`^${EXIT.secretRefused} `));
      expect(device.logins().slice(before.logins)).toMatchObject([{ accepted: false }]);
      expect(device.entries()).toHaveLength(before.entries);
    });

    it.skipIf(neverLast !== undefined)(
      `stops before the last try, and takes the option that its hint gives${why(neverLast)}`,
      async () => {
        // One wrong PIN was shown above.
        for (let shown = 1; shown < behavior.tries - 1; shown++)
          expect(await device.runWith(wrong, ['hsm', 'doctor', 'h'])).toMatchObject({ code: EXIT.secretRefused });
        const plan = await device.plan();
        const before = device.logins().length;
        const stopped = await device.run(['issue', '--confirm', plan]);
        expect(text(stopped)).toMatch(new RegExp(`^${EXIT.secretRefused} [^]*one try`));
        expect(device.logins()).toHaveLength(before);
        const option = /--last-try ('[^']+'|\S+)/.exec(stopped.stderr)?.[1]?.replaceAll("'", '');
        expect(option).toMatch(/\S/);
        const taken = await device.run(['issue', '--confirm', plan, '--last-try', option ?? '']);
        expect(text(taken)).toMatch(/^0 /);
        expect(device.logins().slice(before)).toMatchObject([{ accepted: true }]);
        expect(await device.run(['hsm', 'doctor', 'h'])).toMatchObject({ code: 0 });
      },
    );
  });
}
