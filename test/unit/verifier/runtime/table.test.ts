/** The table of docs/runtime.md, "What follows from a verdict", cell by cell. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armor } from '../../../../formats/armor.ts';
import { utf8 } from '../../../../formats/bytes.ts';
import { TYP } from '../../../../formats/cose-sign1.ts';
import { makeTrust, type TrustValues } from '../../../../verifier/trust.ts';
import type { LicenseOptions, NoticeCode } from '../../../../verifier/runtime/index.ts';
import {
  componentKey,
  compositeKey,
  ed25519Key,
  EXP,
  fileOf,
  GRACE,
  IAT,
  licenseFile,
  NBF,
  OTHER_HOST,
  rawPayload,
  strangeKey,
  trusted,
} from '../sample.ts';
import { DAY, listen, Product, textOf } from './product.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(async () => {
  await product.remove();
});

interface Case {
  readonly reason: NoticeCode;
  /** Undefined: the file is missing. */
  readonly file: () => Promise<Uint8Array | undefined>;
  readonly options?: Partial<LicenseOptions>;
  /** Accepted first, so that the state knows something. */
  readonly before?: () => Promise<Uint8Array>;
}

const both = [trusted(compositeKey), trusted(ed25519Key)];
const trustWith = (changes: Partial<TrustValues>): Partial<LicenseOptions> => ({
  keys: makeTrust({ keys: both, ...changes }),
});
const before = (): Promise<Uint8Array> => licenseFile({ ctr: 7 }, compositeKey);
/** Row 1: missing, every reason from size to claims, and a key of another purpose. */
const UNUSABLE: readonly Case[] = [
  { reason: 'file_missing', file: () => Promise.resolve(undefined) },
  { reason: 'too_large', file: () => Promise.resolve(new Uint8Array(98_305)) },
  { reason: 'armor_malformed', file: () => Promise.resolve(utf8('not a license')) },
  { reason: 'armor_malformed', file: () => Promise.resolve(new Uint8Array()) },
  { reason: 'cbor_malformed', file: () => Promise.resolve(armor('VTLIC', Uint8Array.of(0xd2, 0x84))) },
  { reason: 'cbor_not_deterministic', file: () => Promise.resolve(armor('VTLIC', Uint8Array.of(0xd8, 0x12, 0x80))) },
  { reason: 'cose_malformed', file: () => Promise.resolve(armor('VTLIC', Uint8Array.of(0xd2, 0x80))) },
  { reason: 'typ_wrong', file: () => licenseFile({}, ed25519Key, { typ: TYP.counters }) },
  { reason: 'key_unknown', file: () => licenseFile({}, strangeKey) },
  { reason: 'key_composite_only', file: () => licenseFile({}, componentKey) },
  { reason: 'key_algorithm_mismatch', file: () => licenseFile({}, compositeKey, { alg: 'ed25519' }) },
  {
    reason: 'signature_invalid',
    file: () => licenseFile({}, ed25519Key, { signature: (signature) => signature.fill(0, 0, 8) }),
  },
  { reason: 'claims_malformed', file: () => fileOf(rawPayload([[1, 'example-vendor']])) },
  { reason: 'claims_unknown', file: () => fileOf(rawPayload([['later', 1]])) },
  {
    reason: 'key_wrong_purpose',
    file: () => licenseFile(),
    options: { keys: makeTrust({ keys: [trusted(ed25519Key, { purpose: 'release' })] }) },
  },
];

/** Rows 2 and 3: rolled back, conflict, lineage; another issuer or product. */
const ROLLED_BACK: readonly Case[] = [
  { reason: 'counter_rolled_back', before, file: () => licenseFile({ ctr: 6 }) },
  { reason: 'counter_conflict', before, file: () => licenseFile({ ctr: 7, seats: 9999 }) },
  { reason: 'lineage_not_newer', before, file: () => licenseFile({ sub: 'another-customer', iat: IAT }) },
  { reason: 'issuer_mismatch', file: () => licenseFile({ iss: 'another-vendor' }) },
  { reason: 'product_mismatch', file: () => licenseFile({ aud: 'another-product' }) },
];

/** Row 4: no outage. */
const NO_OUTAGE: readonly Case[] = [
  { reason: 'deployment_mismatch', file: () => licenseFile({ dep: 'prod-us' }) },
  { reason: 'host_mismatch', file: () => licenseFile({ hosts: [OTHER_HOST] }) },
  { reason: 'build_not_covered', file: () => licenseFile({ upd: NBF }), options: { buildDate: NBF } },
  { reason: 'not_yet_valid', file: () => licenseFile({ nbf: NBF + DAY }) },
  {
    reason: 'key_revoked',
    file: () => licenseFile(),
    options: { keys: makeTrust({ keys: [trusted(ed25519Key, { status: 'revoked' })] }) },
  },
  { reason: 'algorithm_not_allowed', file: () => licenseFile(), options: trustWith({ ed25519Until: NBF }) },
  {
    reason: 'license_revoked',
    file: () => licenseFile(),
    options: trustWith({ revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'] }),
  },
  {
    reason: 'superseded',
    file: () => licenseFile(),
    options: trustWith({ lowestCounters: [['example-vendor/vaultdesk/acme-gmbh', 8]] }),
  },
  { reason: 'lapsed', file: () => licenseFile({ exp: NBF + 1, nbf: NBF - DAY, iat: NBF - DAY, grace: 0, ctr: 8 }) },
];

async function place({ file }: Case): Promise<void> {
  const bytes = await file();
  if (bytes === undefined) rmSync(product.path, { force: true });
  else product.drop(bytes);
}

async function accept(before: Case['before']): Promise<void> {
  if (before === undefined) return;
  product.drop(await before());
  await (await product.start()).close();
}

const DEVELOPMENT = { production: false };

describe('a start in production', () => {
  it.each([...UNUSABLE, ...ROLLED_BACK])('is refused with $reason, a sentence and a remedy', async (one) => {
    await accept(one.before);
    await place(one);
    const refusal = await product.refusal(one.options);
    expect(refusal.code).toBe(one.reason);
    expect(refusal.sentence).toMatch(/^[A-Z].*\.$/);
    expect(refusal.remedy).toMatch(/^[A-Z].*\.$/);
  });

  it.each(NO_OUTAGE)('gives the free tier with a warning for $reason', async (one) => {
    product.clock = one.reason === 'lapsed' ? NBF + 2 : NBF;
    await place(one);
    const license = await product.start(one.options);
    expect(license.state).toBe('free_tier');
    expect(license.entitlements).toMatchObject({ source: 'free_tier', tier: 'free', seats: 3 });
    expect(license.view().warnings.map(({ code }) => code)).toContain(one.reason);
  });

  it('gives what an active license says', async () => {
    await product.dropLicense();
    const license = await product.start();
    expect(license.state).toBe('active');
    expect(license.entitlements).toMatchObject({ source: 'license', tier: 'enterprise', seats: 250 });
    expect(Object.isFrozen(license.entitlements)).toBe(true);
    expect(license.nextChange).toBe(EXP);
  });

  it('gives the full license in grace, with a warning that has the days left', async () => {
    await product.dropLicense({ grace: GRACE });
    product.clock = EXP + DAY;
    const license = await product.start();
    expect(license.state).toBe('grace');
    expect(license.entitlements?.tier).toBe('enterprise');
    const warning = license.view().warnings.find(({ code }) => code === 'in_grace');
    expect(warning?.values).toEqual({ days: 29, until: EXP + GRACE });
    expect(license.nextChange).toBe(EXP + GRACE);
  });

  it('lets the kept license serve while a renewal in the file is not yet valid', async () => {
    await accept(before);
    await product.dropLicense({ ctr: 8, tier: 'renewed', nbf: NBF + DAY, iat: NBF });
    const license = await product.start();
    expect(license.state).toBe('active');
    expect(license.entitlements?.tier).toBe('enterprise');
    expect(license.view().warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['renewal_waits', 'kept_license_serves']),
    );
    expect(license.view().waiting?.counter).toBe(8);
    await product.pass(DAY, license);
    expect(license.entitlements?.tier).toBe('renewed');
  });
});

describe('a start elsewhere', () => {
  it.each([...UNUSABLE, ...ROLLED_BACK, ...NO_OUTAGE])(
    'gives the free tier with a warning for $reason',
    async (one) => {
      await accept(one.before);
      product.clock = one.reason === 'lapsed' ? NBF + 2 : NBF;
      await place(one);
      const license = await product.start({ ...one.options, ...DEVELOPMENT });
      expect(license.state).toBe('free_tier');
      expect(license.view().warnings.map(({ code }) => code)).toContain(one.reason);
    },
  );

  it('gives the license in grace and active alike', async () => {
    await product.dropLicense({ grace: GRACE });
    expect((await product.start(DEVELOPMENT)).state).toBe('active');
    product.clock = EXP;
    expect((await product.start(DEVELOPMENT)).state).toBe('grace');
  });
});

describe('a file that changed while the product runs', () => {
  const cases = [...UNUSABLE, ...ROLLED_BACK, ...NO_OUTAGE].filter(
    ({ options, reason }) => options === undefined && reason !== 'not_yet_valid',
  );

  it.each(cases)('leaves in force what is in force for $reason, with a warning', async (one) => {
    product.drop(await before());
    const license = await product.start();
    const heard = listen(license);
    product.clock = NBF + 2;
    await place(one);
    await license.refresh();
    expect(license.state).toBe('active');
    expect(license.entitlements?.seats).toBe(250);
    expect(heard).toEqual([`refused ${one.reason}`, `warning ${one.reason}`]);
    await product.pass(60, license);
    expect(license.view().warnings.map(({ code }) => code)).toContain(one.reason);
  });

  it('is accepted when it is active, and when it is in grace', async () => {
    product.drop(await before());
    const license = await product.start();
    const heard = listen(license);
    await product.dropLicense({ ctr: 8, tier: 'team' });
    await license.refresh();
    expect(license.entitlements?.tier).toBe('team');
    await product.dropLicense({ ctr: 9, tier: 'late', exp: NBF + 1, nbf: NBF - DAY, iat: NBF - DAY, grace: DAY });
    await product.pass(60, license);
    expect(license.state).toBe('grace');
    expect(license.entitlements?.tier).toBe('late');
    expect(heard).toEqual(['change active team', 'change grace late', 'warning in_grace']);
    await product.pass(DAY, license);
    expect(license.state).toBe('free_tier');
  });

  it('waits for its time when it is a renewal, and goes on with what is in force', async () => {
    product.drop(await before());
    const license = await product.start();
    const heard = listen(license);
    await product.dropLicense({ ctr: 8, tier: 'renewed', nbf: NBF + DAY });
    await license.refresh();
    expect(license.entitlements?.tier).toBe('enterprise');
    expect(license.nextChange).toBe(NBF + DAY);
    await product.pass(DAY, license);
    expect(license.entitlements?.tier).toBe('renewed');
    expect(heard).toEqual(['change active enterprise', 'warning renewal_waits', 'change active renewed']);
  });

  it('lapses at its second', async () => {
    await product.dropLicense({ grace: DAY });
    const license = await product.start();
    await product.pass(EXP - NBF - 1, license);
    expect(license.state).toBe('active');
    await product.pass(1, license);
    expect(license.state).toBe('grace');
    await product.pass(DAY - 1, license);
    expect(license.state).toBe('grace');
    await product.pass(1, license);
    expect(license.state).toBe('free_tier');
    expect(license.view().warnings.map(({ code }) => code)).toContain('lapsed');
  });
});

describe('an installation', () => {
  const cases = [...UNUSABLE, ...ROLLED_BACK, ...NO_OUTAGE].filter(
    ({ options, reason }) => options === undefined && reason !== 'not_yet_valid' && reason !== 'file_missing',
  );

  it.each(cases)('is refused with $reason, and nothing is touched', async (one) => {
    product.drop(await before());
    const license = await product.start();
    const [file, view] = [product.file(), license.view()];
    product.clock = NBF + 2;
    const result = await license.install(new TextDecoder('latin1').decode(await one.file()));
    expect(result).toMatchObject({ ok: false, refusal: { code: one.reason } });
    expect(product.file()).toBe(file);
    expect(license.view().license).toEqual(view.license);
    expect((await product.start()).state).toBe('active');
  });

  it.each(NO_OUTAGE.filter(({ options }) => options !== undefined))('is refused with $reason', async (one) => {
    await place(one);
    const license = await product.start(one.options);
    const result = await license.install(textOf((await one.file()) ?? new Uint8Array()));
    expect(result).toMatchObject({ ok: false, refusal: { code: one.reason } });
  });

  it('accepts an active license, and one in grace', async () => {
    product.drop(await before());
    const license = await product.start();
    const heard = listen(license);
    const active = textOf(await licenseFile({ ctr: 8, tier: 'team' }));
    expect(await license.install(active)).toEqual({ ok: true, outcome: 'in_force' });
    expect(product.file()).toBe(active);
    product.clock = EXP + 1;
    const late = textOf(await licenseFile({ ctr: 9, tier: 'late', grace: DAY }));
    expect(await license.install(late)).toEqual({ ok: true, outcome: 'in_force' });
    expect(license.state).toBe('grace');
    expect(heard).toEqual(['change active team', 'change grace late', 'warning in_grace']);
    expect((await product.start()).entitlements?.tier).toBe('late');
  });

  it('takes an early renewal for later, also over a restart', async () => {
    product.drop(await before());
    const license = await product.start();
    const renewal = textOf(await licenseFile({ ctr: 8, tier: 'renewed', nbf: NBF + DAY }));
    expect(await license.install(renewal)).toEqual({ ok: true, outcome: 'waiting' });
    expect(license.entitlements?.tier).toBe('enterprise');
    await license.close();
    const again = await product.start();
    expect(again.entitlements?.tier).toBe('enterprise');
    await product.pass(DAY, again);
    expect(again.entitlements?.tier).toBe('renewed');
  });

  it('refuses a first license that is not yet valid, since nothing could serve until then', async () => {
    const license = await product.start(DEVELOPMENT);
    const early = textOf(await licenseFile({ nbf: NBF + DAY }));
    expect(await license.install(early)).toMatchObject({ ok: false, refusal: { code: 'not_yet_valid' } });
  });
});

describe('a state that cannot be used', () => {
  interface Fault {
    readonly what: string;
    readonly code: NoticeCode;
    readonly spoil?: () => void;
    /** In place of the path of the state; absent: the usual one. */
    readonly statePath?: string;
  }
  const FAULTS: readonly Fault[] = [
    { what: 'that is damaged', code: 'state_corrupt', spoil: () => writeFileSync(product.statePath, 'x') },
    { what: 'that is a folder', code: 'state_unwritable', spoil: () => mkdirSync(product.statePath) },
    { what: 'whose folder is missing', code: 'state_unwritable', statePath: '/nowhere/state' },
    { what: 'of which there is none', code: 'state_unwritable', statePath: '' },
  ];
  const at = ({ statePath = product.statePath }: Fault): Partial<LicenseOptions> => ({
    environment: { ...product.options().environment, LICENSE_STATE_PATH: statePath },
  });

  it.each(FAULTS)('$what refuses a start in production', async (fault) => {
    await product.dropLicense();
    fault.spoil?.();
    expect((await product.refusal(at(fault))).code).toBe(fault.code);
  });

  it.each(FAULTS)('$what is in memory elsewhere, with a warning, and nothing can be installed', async (fault) => {
    await product.dropLicense();
    fault.spoil?.();
    const license = await product.start({ ...at(fault), ...DEVELOPMENT });
    expect(license.state).toBe('active');
    expect(license.view().warnings.map((warning) => warning.code)).toEqual(
      expect.arrayContaining([fault.code, 'state_not_durable']),
    );
    const install = await license.install(textOf(await licenseFile({ ctr: 8 })));
    expect(install).toMatchObject({ ok: false, refusal: { code: fault.code } });
  });

  it('keeps running with a warning when the state is damaged meanwhile, and refuses an installation', async () => {
    product.drop(await before());
    const license = await product.start();
    const heard = listen(license);
    writeFileSync(product.statePath, 'x');
    await product.pass(600, license);
    expect(license.state).toBe('active');
    expect(heard).toEqual(['warning state_corrupt']);
    const file = product.file();
    const install = await license.install(textOf(await licenseFile({ ctr: 8 })));
    expect(install).toMatchObject({ ok: false, refusal: { code: 'state_corrupt' } });
    expect(product.file()).toBe(file);
  });
});

describe('the mode', () => {
  const withMode = (mode: string | undefined, options: Partial<LicenseOptions> = {}): Partial<LicenseOptions> => ({
    ...options,
    environment: { ...product.options().environment, DEPLOYMENT_MODE: mode },
  });

  it.each([true, false])('saas is not applicable (production %s)', async (production) => {
    const license = await product.start(withMode('saas', { production }));
    expect(license.state).toBe('not_applicable');
    expect(license.entitlements).toBeUndefined();
    expect(await license.install('x')).toMatchObject({ ok: false, refusal: { code: 'install_not_possible' } });
  });

  it.each([undefined, '', '  ', 'ONPREM', 'cloud'])('%j refuses every start', async (mode) => {
    await product.dropLicense();
    for (const production of [true, false])
      await expect(product.start(withMode(mode, { production }))).rejects.toMatchObject({
        code: 'configuration_invalid',
        place: { field: 'DEPLOYMENT_MODE' },
      });
  });

  it('may be compiled in, and then need not be set', async () => {
    await product.dropLicense();
    for (const mode of [undefined, '', 'onprem'])
      expect((await product.start(withMode(mode, { compiledIn: { mode: 'onprem' } }))).state).toBe('active');
  });
});

describe('a variable against what is compiled in', () => {
  it.each([
    ['DEPLOYMENT_MODE', 'saas', { mode: 'onprem' }],
    ['NODE_ENV', 'development', { production: true }],
    ['LICENSE_PUBLIC_KEY', 'AAAA', { noOverride: true }],
    ['LICENSE_MLDSA_PUBLIC_KEY', 'AAAA', { noOverride: true }],
    ['LICENSE_PUBLIC_KEY', 'AAAA', {}],
    ['LICENSE_REQUIRE_COMPOSITE', 'yes', {}],
    ['LICENSE_TEXT', 'x', {}],
  ] as const)('%s=%s refuses every start', async (name, value, compiledIn) => {
    await product.dropLicense();
    const environment = { ...product.options().environment, [name]: value };
    for (const production of [true, false])
      await expect(product.start({ environment, compiledIn, production })).rejects.toMatchObject({
        code: 'configuration_invalid',
        place: { field: name },
      });
  });

  it('does not arise where composite is compiled in: the variable can only tighten', async () => {
    await product.dropLicense();
    const license = await product.start({ compiledIn: { requireComposite: true } });
    expect(license.view().warnings.map(({ code }) => code)).toContain('algorithm_not_allowed');
  });
});
