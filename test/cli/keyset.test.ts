/** `vtlic keyset` on files as people have them: whole, cut, of the wrong kind, and hostile. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYSET_REASONS } from '../../verifier/keyset/index.ts';
import {
  chainOf,
  issuingKey,
  KEYSET_MADE,
  keysetBlock,
  testKey,
  type KeysetValues,
} from '../../conformance/examples/keysets.ts';
import { runCli } from '../support/run-cli.ts';
import { runHere, type RanHere } from '../support/run-here.ts';

const ROOTS = ['root a', 'root b', 'root c'];
const first: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };
const second: KeysetValues = {
  ...first,
  version: 2,
  expires: KEYSET_MADE + 86_400,
  keys: [
    issuingKey('issuing 1', { status: 'revoked', honored: ['ab'.repeat(32)] }),
    issuingKey('issuing 2', { products: ['vaultdesk'], tiers: ['pro'], from: KEYSET_MADE, until: KEYSET_MADE + 1 }),
  ],
  revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
  lowestCounters: new Map([['example-vendor/vaultdesk/acme-gmbh', 7]]),
};

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-keyset-'));
  const [block1, block2] = [keysetBlock(first, ROOTS), keysetBlock(second, ROOTS)];
  writeFileSync(at('built-in.keyset'), block1);
  writeFileSync(at('chain.keyset'), chainOf(block1, block2));
  writeFileSync(at('cut.keyset'), chainOf(block1, block2).subarray(0, -40));
  writeFileSync(at('forged.keyset'), keysetBlock(second, ['root a', 'stranger']));
  writeFileSync(at('hostile.keyset'), 'Dear customer,\u001b[2J\u202e');
  writeFileSync(at('large.keyset'), new Uint8Array(16_777_300).fill(0x20));
  mkdirSync(at('folder'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const keyset = (...args: readonly string[]): Promise<RanHere> =>
  runHere(['keyset', ...args], { nowMs: () => KEYSET_MADE * 1000 });
const verify = (file: string, ...more: readonly string[]): Promise<RanHere> =>
  keyset('verify', at(file), '--built-in', at('built-in.keyset'), ...more);

describe('vtlic keyset inspect', () => {
  it('shows every member of every version, and says that nothing is verified', async () => {
    const { code, stdout, stderr } = await keyset('inspect', at('chain.keyset'));
    expect(code).toBe(0);
    expect(stderr).toContain('NOT VERIFIED');
    expect(stdout).toContain('version 1\n');
    for (const text of [
      'version 2\n',
      testKey('issuing 2').publicKey.kid,
      'threshold      2 of 3 roots',
      'purpose license, revoked, 1 license honored',
      'products vaultdesk, tiers pro',
      'counters of 1 lineage',
      '2026-12-02 (products then only warn)',
    ])
      expect(stdout).toContain(text);
    expect(stdout.split('\n').filter((line) => line.length > 84)).toEqual([]);
  });

  it('shows the same as one JSON document', async () => {
    const { code, stdout } = await keyset('inspect', at('chain.keyset'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'vtlic-keyset-inspect/1',
      verified: false,
      versions: [
        { version: 1 },
        {
          issuer: 'example-vendor',
          version: 2,
          threshold: 2,
          revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
          lowestCounters: { 'example-vendor/vaultdesk/acme-gmbh': 7 },
          signers: [{ algorithm: 'ed25519' }, {}, {}],
        },
      ],
    });
  });

  it.each([
    ['cut.keyset', 20, 'armored'],
    ['hostile.keyset', 20, 'BEGIN VTLIC KEYSET'],
    ['large.keyset', 20, 'more than 16777216 bytes'],
    ['missing.keyset', 2, 'missing.keyset'],
    ['folder', 2, 'this is a folder'],
  ])('refuses %s with exit code %i', async (name, expected, words) => {
    const { code, stdout, stderr } = await keyset('inspect', at(name));
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(words);
    // Nothing that moves a cursor or turns the reading direction.
    // oxlint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('vtlic keyset verify', () => {
  it('accepts what follows the built-in chain, and warns of its expiry', async () => {
    const { code, stdout, stderr } = await verify('chain.keyset');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^accepted: version 2\n/);
    const later = await runHere(['keyset', 'verify', at('chain.keyset'), '--built-in', at('built-in.keyset')], {
      nowMs: () => (KEYSET_MADE + 86_400) * 1000,
    });
    expect([later.code, later.stderr]).toEqual([0, `warning: ${KEYSET_REASONS.keyset_expired.sentence}\n`]);
  });

  it.each([
    ['cut.keyset', 20, 'keyset_armor_malformed'],
    ['forged.keyset', 20, 'keyset_threshold_previous'],
    ['hostile.keyset', 20, 'keyset_armor_malformed'],
    ['large.keyset', 20, 'keyset_too_large'],
  ] as const)('refuses %s with exit code %i and %s', async (name, expected, reason) => {
    const { code, stdout, stderr } = await verify(name);
    expect([code, stdout]).toEqual([expected, `refused: ${reason}\n`]);
    expect(stderr).toContain(KEYSET_REASONS[reason].sentence);
    expect(stderr).toContain(`→ ${KEYSET_REASONS[reason].remedy}`);
    expect(stderr).toContain('a product then uses version 1 (built-in)');
    const json = await verify(name, '--json');
    expect(json.code).toBe(expected);
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: 'vtlic-keyset-verify/1', ok: false, reason, version: 1 });
  });

  it('says that a file is older with exit code 22', async () => {
    const args = ['keyset', 'verify', at('built-in.keyset'), '--built-in', at('chain.keyset')];
    const { code, stdout } = await runHere(args);
    expect([code, stdout]).toEqual([22, 'refused: keyset_older\n']);
  });

  it('refuses Ed25519 roots where the product requires composite', async () => {
    const { code, stdout } = await verify('chain.keyset', '--require-composite');
    expect([code, stdout]).toEqual([20, 'refused: keyset_threshold_previous\n']);
  });

  it.each([
    [['--issuer', 'another-vendor'], 'built-in.keyset', 'the issuer of the product is another-vendor'],
    [[], 'cut.keyset', 'armored'],
    [[], 'missing.keyset', 'missing.keyset'],
  ])('refuses a built-in chain that is not usable (%j, %s)', async (more, builtIn, words) => {
    const { code, stdout, stderr } = await keyset('verify', at('chain.keyset'), '--built-in', at(builtIn), ...more);
    expect([code > 1, stdout]).toEqual([true, '']);
    expect(stderr).toContain(words);
  });

  it('runs as a process', () => {
    const args = ['keyset', 'verify', at('chain.keyset'), '--built-in', at('built-in.keyset'), '--json'];
    const { code, stdout } = runCli(args);
    expect([code, (JSON.parse(stdout) as { version: number }).version]).toEqual([0, 2]);
  });
});
