/**
 * What an officer does, on every row of the token table: each device that is not here is simulated by the fault proxy
 * (`test/support/tokens/behaviors/`). It was not tried on any of these devices.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../formats/error.ts';
import { PROFILES } from '../../keys/private/pkcs11/shared/profiles.ts';
import type { Check } from '../../keys/private/pkcs11/client/index.ts';
import { EXIT, exitCodeOf } from '../support/exit-codes.ts';
import type { RanHere } from '../support/run-here.ts';
import { BEHAVIORS } from '../support/tokens/behaviors/index.ts';
import { kryoptic } from '../support/tokens/behaviors/kryoptic.ts';
import { luna7 } from '../support/tokens/behaviors/luna7.ts';
import { nethsm } from '../support/tokens/behaviors/nethsm.ts';
import { yubihsm2 } from '../support/tokens/behaviors/yubihsm2.ts';
import { DeviceSite } from './support/device-site.ts';
import { officerSteps } from './support/officer-steps.ts';
import { useQuickHosts } from './support/quick-hosts.ts';

useQuickHosts();

const text = ({ code, stdout, stderr }: RanHere): string => `${code} ${stdout}${stderr}`;

it('simulates every row of the token table', () => {
  expect(new Set(BEHAVIORS.map(({ row: id }) => id))).toEqual(new Set(PROFILES.map(({ id }) => id)));
  const table = readFileSync(new URL('../../docs/hsm.md', import.meta.url), 'utf8');
  for (const { name } of PROFILES)
    expect(table).toContain(`| ${name.replace('SoftHSM 2.6', 'SoftHSM 2.6 (Debian)')} |`);
  for (const { sources } of BEHAVIORS) expect(sources.length).toBeGreaterThan(0);
});

describe.each(BEHAVIORS.map((behavior) => [behavior.name, behavior] as const))('%s', (_, behavior) => {
  officerSteps(behavior);
});

describe('split custody, the ML-DSA component in kryoptic', () => {
  it.each([yubihsm2, luna7, nethsm])('has a composite key that signs, as the doctor says: $name', async (behavior) => {
    const second = new DeviceSite({ ...kryoptic, label: 'second' });
    const device = new DeviceSite(behavior);
    try {
      expect(await device.init('--keystore', `m=${second.uri}`)).toMatchObject({ code: 0 });
      const { stdout } = await device.run(['hsm', 'doctor', 'h', '--json']);
      const { checks } = JSON.parse(stdout) as { checks: Check[] };
      const custody = checks.find(({ name }) => name === 'custody');
      expect(String(custody?.data?.['custodies']).split(',')).toContain('split');
      const secret = ['--secret', `m=file:${second.pinFile}`];
      const split = ['--keystore', 'h', '--ml-dsa-keystore', 'm', ...secret];
      const generated = await device.run(['key', 'generate', '--name', 'k', ...split]);
      const { adopts } = behavior;
      if (adopts === undefined) expect(text(generated)).toMatch(/^0 [^]*custody split/);
      else {
        // What the doctor says of Ed25519 is true of the component too: another role makes it.
        const outcome = checks.find(({ name }) => name === 'key generate')?.data?.['ed25519'];
        expect(generated.code).toBe(exitCodeOf(String(outcome) as ErrorCode));
        expect(second.objects()).toEqual([]);
        second.makeAdoptableMlDsa(adopts.label, adopts.id);
        device.makeAdoptable(adopts.label, adopts.id);
        const adopted = await device.run(['key', 'adopt', '--name', 'k', '--id', adopts.id, ...split]);
        expect(text(adopted)).toMatch(/^0 [^]*ed25519\+ml-dsa-65, purpose license, custody split/);
      }
      expect(text(await device.run(['issue', '--confirm', await device.plan(), ...secret]))).toMatch(/^0 /);
      const [file = ''] = device.released();
      expect(text(await device.verify(file))).toMatch(/^0 /);
    } finally {
      device.remove();
      second.remove();
    }
  });
});

describe('a doctor that predicts a refusal', () => {
  const ID = '0a0b';
  let first: DeviceSite;
  let second: DeviceSite;
  const checksOf = async (device: DeviceSite): Promise<readonly Check[]> => {
    const { stdout } = await device.run(['hsm', 'doctor', 'h', '--json']);
    return (JSON.parse(stdout) as { readonly checks: readonly Check[] }).checks;
  };
  const outcomeOf = async (device: DeviceSite, name: string): Promise<unknown> =>
    (await checksOf(device)).find((check) => check.name.startsWith(name))?.data?.['outcome'];
  const adopt = (device: DeviceSite, id: string): Promise<RanHere> =>
    device.run(['key', 'adopt', '--name', `key-${id}`, '--keystore', 'h', '--id', id]);
  beforeAll(async () => {
    first = new DeviceSite(kryoptic);
    second = first.another();
    expect(await first.init()).toMatchObject({ code: 0 });
    expect(await second.init()).toMatchObject({ code: 0 });
  });
  afterAll(() => {
    second?.remove();
    first?.remove();
  });

  it('says that a pair which another ledger has claimed is not adopted', async () => {
    first.makeAdoptable('good', ID);
    expect(text(await adopt(first, ID))).toMatch(/^0 /);
    expect(await outcomeOf(second, 'key adopt')).toBe('key_claimed');
    expect(await adopt(second, ID)).toMatchObject({ code: exitCodeOf('key_claimed') });
  });

  it('says that a private key which can be read is not adopted', async () => {
    first.makeExtractable();
    const check = (await checksOf(first)).find(({ name }) => name.startsWith('key adopt: "extractable"'));
    expect(check).toMatchObject({ status: 'warn', data: { outcome: 'self_check_failed' } });
    expect(await adopt(first, String(check?.data?.['id']))).toMatchObject({ code: EXIT.selfCheck });
  });

  it('says that a key which is no longer in the token signs nothing', async () => {
    const plan = await first.plan();
    first.destroy(ID);
    expect(await outcomeOf(first, 'issue')).toBe('key_not_found');
    expect(await first.run(['issue', '--confirm', plan])).toMatchObject({ code: exitCodeOf('key_not_found') });
  });
});
