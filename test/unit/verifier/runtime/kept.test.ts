/** The license that the state keeps (docs/runtime.md, "The kept license"), and a state that is put back. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../../../../formats/bytes.ts';
import { encodeCbor } from '../../../../formats/cbor/index.ts';
import { TYP } from '../../../../formats/cose-sign1.ts';
import type { NoticeCode } from '../../../../verifier/runtime/index.ts';
import { decodeState } from '../../../../verifier/runtime/state-document.ts';
import { ed25519Key, EXP, fileOf, IAT, licenseFile, rawPayload, strangeKey } from '../sample.ts';
import { DAY, Product, textOf } from './product.ts';

const KEPT = { fallback: 'kept' } as const;

let product: Product;
beforeEach(async () => {
  product = new Product();
  await product.dropLicense({ ctr: 7, grace: 0 });
  await (await product.start()).close();
});
afterEach(async () => {
  await product.remove();
});

const unknownAlgorithm = (): Promise<Uint8Array> => {
  const kid = fromHex(ed25519Key.publicKey.kid) ?? new Uint8Array();
  const header = new Map<number, string | Uint8Array>([
    [1, 'later'],
    [4, kid],
    [16, TYP.license],
  ]);
  return licenseFile({}, ed25519Key, { protectedBytes: encodeCbor(header) });
};

const FILES: readonly (readonly [code: NoticeCode, file: () => Promise<Uint8Array>])[] = [
  ['key_unknown', () => licenseFile({ ctr: 8 }, strangeKey)],
  ['alg_unknown', unknownAlgorithm],
  ['claims_unknown', () => fileOf(rawPayload([['later', 1]]))],
  ['counter_rolled_back', () => licenseFile({ ctr: 6 })],
];

describe('a file that cannot be used', () => {
  it.each(FILES)(
    'a file with %s refuses a start in production, where the product did not choose otherwise',
    async (code, file) => {
      product.drop(await file());
      expect((await product.refusal()).code).toBe(code);
    },
  );

  it.each(FILES)(
    'a file with %s lets the kept license serve where the product chose so, with warnings',
    async (code, file) => {
      product.drop(await file());
      const license = await product.start(KEPT);
      expect(license.view().license?.counter).toBe(7);
      const codes = license.view().warnings.map((warning) => warning.code);
      expect(codes).toEqual(expect.arrayContaining([code, 'kept_license_serves']));
      product.clock = EXP;
      await license.refresh();
      expect(license.state).toBe('free_tier');
    },
  );

  it('a file of another kind refuses the start all the same', async () => {
    const others: readonly (readonly [NoticeCode, Uint8Array | undefined])[] = [
      ['file_missing', undefined],
      ['armor_malformed', new Uint8Array()],
      ['signature_invalid', await licenseFile({ ctr: 8 }, ed25519Key, { signature: (bytes) => bytes.fill(0, 0, 8) })],
      ['counter_conflict', await licenseFile({ ctr: 7, seats: 9999 })],
      ['issuer_mismatch', await licenseFile({ iss: 'another-vendor' })],
    ];
    for (const [code, file] of others) {
      if (file === undefined) rmSync(product.path);
      else product.drop(file);
      expect((await product.refusal(KEPT)).code).toBe(code);
    }
  });

  it('a file of another lineage, with a counter that is lower there, refuses the start', async () => {
    const here = { deployment: 'prod-eu', ...KEPT };
    await product.dropLicense({ dep: 'prod-eu', iat: IAT + 1, ctr: 1, grace: 0 });
    await (await product.start(here)).close();
    await product.dropLicense({ ctr: 6, iat: IAT + 2, grace: 0 });
    expect((await product.refusal(here)).code).toBe('counter_rolled_back');
  });

  it('refuses the start where the kept license is over', async () => {
    product.drop(await licenseFile({ ctr: 6 }));
    product.clock = EXP + DAY;
    expect((await product.refusal(KEPT)).code).toBe('counter_rolled_back');
  });
});

function counterInState(): number | undefined {
  const decoded = decodeState(readFileSync(product.statePath));
  return decoded.ok ? decoded.state.entries[0]?.counter : undefined;
}

describe('a state that is put back, or deleted, while the product runs', () => {
  it('is written anew with what the product knows', async () => {
    const license = await product.start();
    copyFileSync(product.statePath, `${product.statePath}.backup`);
    await license.install(textOf(await licenseFile({ ctr: 8, grace: 0 })));
    copyFileSync(`${product.statePath}.backup`, product.statePath);
    expect(counterInState()).toBe(7);
    await product.pass(600, license);
    expect(counterInState()).toBe(8);
    rmSync(product.statePath);
    await product.pass(600, license);
    expect(counterInState()).toBe(8);
    expect(license.view().warnings.map(({ code }) => code)).toContain('state_created');
  });

  it('does not make a running product take an older license', async () => {
    const license = await product.start();
    copyFileSync(product.statePath, `${product.statePath}.backup`);
    await license.install(textOf(await licenseFile({ ctr: 8, grace: 0 })));
    copyFileSync(`${product.statePath}.backup`, product.statePath);
    const old = textOf(await licenseFile({ ctr: 7, grace: 0 }));
    expect(await license.install(old)).toMatchObject({ ok: false, refusal: { code: 'counter_rolled_back' } });
  });

  it('does not make a running product follow an older license that is put back with its state', async () => {
    const license = await product.start();
    const [state, old] = [readFileSync(product.statePath), product.file()];
    await license.install(textOf(await licenseFile({ ctr: 8, grace: 0 })));
    writeFileSync(product.statePath, state);
    product.drop(old);
    await product.pass(600, license);
    expect(license.view().license?.counter).toBe(8);
    expect(license.view().warnings.map(({ code }) => code)).toContain('counter_rolled_back');
    expect(counterInState()).toBe(8);
  });
});

describe('a renewal that comes too early', () => {
  it('is named together with the kept license that has ended', async () => {
    product.clock = EXP;
    product.drop(await licenseFile({ ctr: 8, nbf: EXP + DAY, exp: EXP + 300 * DAY }));
    const license = await product.start();
    const { warnings } = license.view();
    expect(warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['renewal_waits', 'kept_license_unusable']),
    );
    expect(warnings.find(({ code }) => code === 'kept_license_unusable')?.values).toEqual({ reason: 'lapsed' });
  });
});
