/** What could slip through a rotation: unusual ways of coming too early, keys of another purpose, late licenses. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../formats/bytes.ts';
import { encodeBodyProtected, encodeCoseSign, encodeSignerProtected } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { issuingKey, keysetBlock, type KeysetValues } from '../../conformance/examples/keysets.ts';
import { openForSigning } from '../../signer/issue/open-ledger.ts';
import { readDraft } from '../../signer/keyset/draft.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { openSite } from '../../signer/site/site.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, testRuntime, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const ROOTS = ['root-1', 'root-2'] as const;
const FIRST = ['--add-root', 'root-1', '--add-root', 'root-2', '--threshold', '2'];
const DAY_MS = 86_400_000;

let fixture: SiteFixture;
let acts: KeysetActs;

beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const name of ROOTS) await addKey(fixture, name, 'root');
  await addKey(fixture, 'spare', 'license');
  acts = new KeysetActs(fixture);
  writeReleases([]);
});
afterEach(() => {
  fixture.remove();
});

const RELEASE = { product: 'vaultdesk', from: '2020-01-01' };

function writeReleases(releases: readonly Record<string, unknown>[]): void {
  const document = { schema: 'vtlic-releases/1', releases: releases.map((release) => ({ ...RELEASE, ...release })) };
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify(document));
}

function day(offset: number): string {
  return new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
}

function kid(name: string): string {
  const site = JSON.parse(readFileSync(join(fixture.site, 'site.json'), 'utf8')) as {
    keys: { name: string; kid: string }[];
  };
  return site.keys.find((key) => key.name === name)?.kid ?? '';
}

async function published(...more: readonly string[]): Promise<void> {
  await acts.next('1.draft', [...FIRST, '--activate', 'license-1', ...more], ROOTS);
}

async function refused(...args: readonly string[]): Promise<readonly [number, string]> {
  const { code, stderr } = await acts.run(...args);
  return [code, stderr];
}

async function issue(customer: string, ...options: readonly string[]): Promise<void> {
  const plan = await acts.succeed(
    acts.run('issue', writeRequest(fixture, { customer, name: customer }), '--dry-run', ...options),
  );
  await acts.succeed(acts.runOpen('issue', '--confirm', plan));
}

describe('the purpose of a key', () => {
  it('is in the keyset the one that the site gave it, also of a key for license keys', async () => {
    await addKey(fixture, 'jwt', 'license-key');
    await published('--pre-publish', 'jwt');
    const shown = await acts.succeed(acts.run('keyset', 'show'));
    expect(shown).toMatch(/\(jwt\)\n +purpose license-key, pre-published/);
  });

  it('does not change where its public key is read from a file', async () => {
    await published();
    await addKey(fixture, 'root-9', 'root');
    for (const [name, option, words] of [
      ['root-9', '--pre-publish', 'has the purpose root'],
      ['spare', '--add-root', 'has the purpose license'],
    ] as const) {
      const file = acts.file(`${name}.pem`);
      await acts.succeed(acts.run('key', 'export', name, '--out', file));
      const done = await refused('keyset', 'draft', option, `file:${file}`);
      expect(done).toEqual([2, expect.stringContaining(words)]);
    }
  });

  it('is said for a key of another site that is read from a file, since the file does not say it', async () => {
    await published();
    const other = await makeSite({ algorithm: 'ed25519' });
    try {
      await addKey(other, 'jwt', 'license-key');
      const there = new KeysetActs(other);
      const file = acts.file('jwt.pem');
      await there.succeed(there.run('key', 'export', 'jwt', '--out', file));
      const key = `file:${file}`;
      for (const command of [
        ['rotation', 'pre-publish', key],
        ['keyset', 'draft', '--pre-publish', key],
      ]) {
        const unsaid = await refused(...command, '--out', acts.file('x.draft'));
        expect(unsaid).toEqual([2, expect.stringContaining('signs licenses or license keys')]);
        const name = acts.file(`${command[0] ?? ''}.draft`);
        const draft = await acts.succeed(acts.run(...command, '--purpose', `${key}=license-key`, '--out', name));
        expect(await acts.succeed(acts.run('keyset', 'show', draft))).toContain(
          'purpose license-key, is new, and becomes pre-published',
        );
      }
      for (const [purpose, words] of [
        ['spare=license-key', 'has the purpose license, not license-key'],
        ['spare=root', '--purpose takes KEY=license or KEY=license-key'],
        ['other=license', 'which this draft does not change'],
      ] as const) {
        const done = await refused('rotation', 'pre-publish', 'spare', '--purpose', purpose);
        expect(done).toEqual([2, expect.stringContaining(words)]);
      }
    } finally {
      other.remove();
    }
  }, 120_000);

  it('decides which spare takes the place of a lost key', async () => {
    await addKey(fixture, 'jwt', 'license-key');
    await addKey(fixture, 'jwt-2', 'license-key');
    await published('--activate', 'jwt', '--pre-publish', 'jwt-2', '--pre-publish', 'spare');
    const draft = await acts.succeed(acts.run('rotation', 'lost', 'jwt', '--out', acts.file('lost.draft')));
    const shown = await acts.succeed(acts.run('keyset', 'show', draft));
    expect(shown).toMatch(/jwt-2 .*was pre-published, and becomes active/);
    expect(shown).not.toMatch(/spare .*active/);
    const other = await refused('rotation', 'lost', 'jwt', '--spare', 'spare', '--out', acts.file('x.draft'));
    expect(other).toEqual([2, expect.stringContaining('purpose')]);
  });
});

describe('a revocation', () => {
  it('is not published where the key signed licenses since it was drafted', async () => {
    await published('--activate', 'spare');
    await issue('acme', '--key', 'spare');
    const draft = await acts.succeed(acts.run('rotation', 'revoke', 'spare'));
    await issue('late', '--key', 'spare');
    const publish = async (file: string): Promise<readonly [number, string]> => {
      const signatures: string[] = [];
      for (const root of ROOTS) signatures.push(await acts.sign(file, root));
      return refused('keyset', 'publish', file, ...signatures);
    };
    // A license of the very second in which the draft was made counts as signed since.
    const since = expect.stringMatching(
      /since the draft was made, the key \w+ signed [123] licenses? that the draft/,
    ) as unknown;
    expect(await publish(draft)).toEqual([10, since]);
    // The same where nothing was to be honored: the customer of the late license did not know.
    const nothing = ['rotation', 'revoke', 'spare', '--honor-nothing', '--version', '3'];
    const other = await acts.succeed(acts.run(...nothing, '--out', acts.file('3.draft')));
    await issue('later', '--key', 'spare');
    expect(await publish(other)).toEqual([10, since]);
    const onto = ['keyset', 'draft', '--expires', day(400), '--onto', other, '--out', acts.file('4.draft')];
    expect(await refused(...onto)).toEqual([10, since]);
    const anew = await acts.succeed(acts.run('rotation', 'revoke', 'spare', '--version', '4'));
    expect((await publish(anew))[0]).toBe(0);
  }, 60_000);
});

describe('a ledger that may lack licenses of a key', () => {
  const revoke = async (): Promise<string> => {
    await published('--activate', 'spare');
    const done = await acts.run('rotation', 'revoke', 'spare');
    expect(done.code).toBe(0);
    return done.stderr;
  };

  it('is not a ledger that neither took counters over nor was restored', async () => {
    expect(await revoke()).not.toContain('WARNING');
  });

  it('says that it was restored after a loss', async () => {
    await published('--activate', 'spare');
    const copy = acts.file('copy.sqlite');
    await acts.succeed(acts.run('ledger', 'backup', copy));
    await issue('lost', '--key', 'spare');
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(fixture.site, `ledger.sqlite${suffix}`), { force: true });
    await acts.succeed(acts.run('ledger', 'restore', copy));
    const done = await acts.run('rotation', 'revoke', 'spare');
    expect([done.code, done.stderr]).toEqual([
      0,
      expect.stringMatching(
        /WARNING: only licenses that this ledger has[^]*this ledger was restored, and may have lost/,
      ),
    ]);
  }, 120_000);

  it('says from which ledger counters were taken over, before the roots sign a revocation', async () => {
    const other = await makeSite({ algorithm: 'ed25519' });
    try {
      await addKey(other, 'counters-1', 'counters');
      const there = new KeysetActs(other);
      const document = acts.file('all.counters');
      const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
      const own = toHex(ledger.genesis.ledgerId);
      ledger.close();
      await there.succeed(there.runOpen('counters', 'export', document, '--to', own));
      const key = acts.file('counters.pem');
      await there.succeed(there.run('key', 'export', 'counters-1', '--out', key));
      await acts.succeed(acts.run('counters', 'import', document, '--trust', key));
      expect(await revoke()).toMatch(
        /WARNING: only licenses that this ledger has[^]*the counters of all customers were taken over from the ledger/,
      );
    } finally {
      other.remove();
    }
  });
});

describe('a step is too early', () => {
  it('where the other key that signs is for other tiers', async () => {
    await published('--activate', 'spare', '--tiers', 'spare=team');
    writeReleases([{ name: 'old', keyset: 1 }]);
    const done = await refused('rotation', 'retire', 'license-1');
    expect(done).toEqual([3, expect.stringContaining('too early')]);
  });

  it('where the only other key that a release knows is for fewer tiers', async () => {
    await addKey(fixture, 'spare-2', 'license');
    await published('--activate', 'spare', '--tiers', 'spare=team');
    writeReleases([{ name: 'old', keyset: 1 }]);
    await acts.next('2.draft', ['--activate', 'spare-2', '--early', 'old is upgraded'], ROOTS);
    const done = await refused('rotation', 'retire', 'license-1');
    expect(done).toEqual([3, expect.stringContaining('old is in the field and would know no key that still signs')]);
  });

  it('where a release knows the key for another product or for fewer tiers', async () => {
    await addKey(fixture, 'spare-2', 'license');
    await published('--pre-publish', 'spare', '--products', 'spare=other');
    writeReleases([{ name: 'old', keyset: 1 }]);
    const draft = ['keyset', 'draft', '--activate', 'spare'];
    const products = ['--products', 'spare=vaultdesk'];
    expect(await refused(...draft, ...products)).toEqual([3, expect.stringContaining('too early')]);
    await acts.next('2.draft', ['--pre-publish', 'spare-2', '--tiers', 'spare-2=team'], ROOTS);
    writeReleases([{ name: 'old', keyset: 2 }]);
    const more = ['keyset', 'draft', '--activate', 'spare-2', '--tiers', 'spare-2=team,enterprise'];
    expect(await refused(...more)).toEqual([3, expect.stringContaining('too early')]);
    await acts.succeed(acts.run('keyset', 'draft', '--activate', 'spare-2'));
  });

  it('where a release takes only composite licenses, and the key is Ed25519', async () => {
    await published('--pre-publish', 'spare');
    writeReleases([{ name: 'strict', keyset: 1, requireComposite: true }]);
    const done = await refused('rotation', 'activate', 'spare');
    expect(done).toEqual([3, expect.stringContaining('strict')]);
  });

  it('where a release that ships later does not know the key', async () => {
    await published('--pre-publish', 'spare');
    writeReleases([{ name: 'next', keys: [kid('license-1')], from: day(20) }]);
    const done = await refused('rotation', 'activate', 'spare');
    expect(done).toEqual([3, expect.stringContaining('next')]);
    // One that is built with a version to come knows what the version has.
    writeReleases([{ name: 'next', keyset: 2, from: day(20) }]);
    await acts.succeed(acts.run('rotation', 'activate', 'spare'));
  });

  it('where the plan has no such policy, or has it for a later day', async () => {
    await published('--pre-publish', 'spare');
    const plan = acts.file('plan.json');
    const write = (steps: readonly Record<string, unknown>[]): void => {
      writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps }));
    };
    write([]);
    const draft = ['keyset', 'draft', '--ed25519-until', day(400), '--plan', plan];
    expect(await refused(...draft)).toEqual([3, expect.stringContaining('the plan has no step')]);
    write([{ on: day(5), step: 'policy', ed25519Until: day(400) }]);
    expect(await refused(...draft)).toEqual([3, expect.stringContaining('still to come')]);
    write([{ on: day(0), step: 'policy', ed25519Until: day(500) }]);
    expect(await refused(...draft)).toEqual([3, expect.stringContaining('the plan has no step')]);
    const early = { releases: [], reason: 'no composite key is active yet' };
    write([{ on: day(0), step: 'policy', ed25519Until: day(400), early }]);
    await acts.succeed(acts.run(...draft));
  });
});

describe('a keyset', () => {
  it('does not use the last number that there is', async () => {
    await published();
    const done = await refused('keyset', 'draft', '--version', '9007199254740991');
    expect(done).toEqual([3, expect.stringContaining('too far from version 1')]);
    await acts.succeed(acts.run('keyset', 'draft', '--version', '20'));
  });

  it('follows a draft that was given up, however far its number is from the published one', async () => {
    await published();
    const far = await acts.draft('far.draft', '--version', '1001', '--activate', 'spare');
    await acts.sign(far, 'root-1');
    const next = await acts.draft('next.draft', '--activate', 'spare');
    expect(readDraft(next).version).toBe(1002);
    await acts.publishSigned(next, ROOTS);
  });

  it('with a policy against Ed25519 stops licenses that nobody would take', async () => {
    for (const root of ['root-3', 'root-4']) await addKey(fixture, root, 'root', 'ed25519+ml-dsa-65');
    const roots = ['--add-root', 'root-3', '--add-root', 'root-4'];
    const all = [...ROOTS, 'root-3', 'root-4'];
    await acts.next('1.draft', [...FIRST, ...roots, '--activate', 'license-1'], all);
    const request = writeRequest(fixture, { customer: 'acme' });
    await acts.next('2.draft', ['--ed25519-until', day(0), '--early', 'x'], all);
    const after = await refused('issue', request, '--dry-run');
    expect(after).toEqual([3, expect.stringContaining('by the policy its licenses are invalid')]);
    await acts.next('3.draft', ['--require-composite', '--early', 'x'], all);
    const required = await refused('issue', request, '--dry-run');
    expect(required).toEqual([3, expect.stringContaining('the policy requires composite')]);
  }, 60_000);
});

describe('composite roots', () => {
  const strict = { name: 'strict', product: 'vaultdesk', keyset: 1, from: '2026-01-15', requireComposite: true };

  it('that are as few as the threshold are a warning where only they count', async () => {
    for (const root of ['root-3', 'root-4']) await addKey(fixture, root, 'root', 'ed25519+ml-dsa-65');
    await addKey(fixture, 'composite-1', 'license', 'ed25519+ml-dsa-65');
    const roots = [...FIRST, '--add-root', 'root-3', '--add-root', 'root-4', '--activate', 'composite-1'];
    await acts.next('1.draft', roots, ROOTS);
    expect((await acts.run('rotation', 'status')).stderr).not.toContain('has to sign every version');
    await acts.next('2.draft', ['--require-composite'], [...ROOTS, 'root-3', 'root-4']);
    const { stderr } = await acts.run('rotation', 'status');
    expect(stderr).toContain('each of the 2 composite roots has to sign every version');
  });

  it('that are fewer than the threshold cannot publish a policy, which the hint says how to mend', async () => {
    await addKey(fixture, 'root-3', 'root', 'ed25519+ml-dsa-65');
    await addKey(fixture, 'composite-1', 'license', 'ed25519+ml-dsa-65');
    await acts.next('1.draft', [...FIRST, '--add-root', 'root-3', '--activate', 'composite-1'], ROOTS);
    const draft = await acts.draft('2.draft', '--require-composite');
    const signatures: string[] = [];
    for (const root of [...ROOTS, 'root-3']) signatures.push(await acts.sign(draft, root));
    const [code, stderr] = await refused('keyset', 'publish', draft, ...signatures);
    expect(code).toBe(3);
    expect(stderr).toContain('the draft itself has only 1 composite root, but 2 must sign');
    expect(stderr).toContain('draft it anew with more composite roots');
  });

  it('have to sign for products that require composite, which publishing says', async () => {
    for (const root of ['root-3', 'root-4']) await addKey(fixture, root, 'root', 'ed25519+ml-dsa-65');
    await acts.next('1.draft', [...FIRST, '--add-root', 'root-3', '--add-root', 'root-4'], ROOTS);
    writeReleases([{ ...strict, takesKeysets: true }]);
    const publish = async (name: string, roots: readonly string[]): Promise<string> => {
      const draft = await acts.draft(name, '--expires', `204${name[0] ?? ''}-01-01`);
      const signatures: string[] = [];
      for (const root of roots) signatures.push(await acts.sign(draft, root));
      const done = await acts.run('keyset', 'publish', draft, ...signatures);
      expect(done.code).toBe(0);
      return done.stderr;
    };
    expect(await publish('2.draft', ROOTS)).toContain('WARNING: installs of strict would not take this version');
    expect(await publish('3.draft', ['root-3', 'root-4'])).not.toContain('WARNING');
  });

  it('are missing for products that require composite, and an emergency does not make them ready', async () => {
    await addKey(fixture, 'composite-1', 'license', 'ed25519+ml-dsa-65');
    await published('--pre-publish', 'composite-1');
    writeReleases([{ ...strict, takesKeysets: true }]);
    await addKey(fixture, 'composite-2', 'license', 'ed25519+ml-dsa-65');
    const done = await refused('keyset', 'draft', '--activate', 'composite-2', '--emergency', 'x');
    expect(done).toEqual([3, expect.stringContaining('strict is in the field')]);
  });
});

describe('a first keyset that is taken up from a file', () => {
  const ROOT_KEYS = ['root a', 'root b', 'composite root 1', 'composite root 2'];
  const values = { version: 1, roots: ROOT_KEYS, threshold: 2, keys: [issuingKey('composite issuing')] };
  const adopt = (signers: readonly string[], policy: Partial<KeysetValues>): Promise<readonly [number, string]> => {
    const file = acts.file('foreign.keyset');
    writeFileSync(file, keysetBlock({ ...values, ...policy }, signers));
    return refused('keyset', 'adopt', file);
  };

  it.each([
    ['that composite is required', { requireComposite: true }],
    ['that Ed25519 ends', { ed25519Until: 1_900_000_000 }],
  ])('counts only composite roots under a policy %s', async (_what, policy) => {
    const few = expect.stringContaining('1 of the composite roots of version 1 signed it, and 2 are needed') as unknown;
    expect(await adopt(['root a', 'root b', 'composite root 1'], policy)).toEqual([3, few]);
    expect((await adopt(['root a', 'composite root 1', 'composite root 2'], policy))[0]).toBe(0);
  });

  it('counts every root without a policy', async () => {
    expect((await adopt(['root a'], {}))[1]).toContain('1 of the roots of version 1 signed it, and 2 are needed');
    expect((await adopt(['root a', 'root b'], {}))[0]).toBe(0);
  });
});

describe('a ledger', () => {
  it('is corrupt where a keyset in it is not signed by the roots of the one before', async () => {
    await published();
    const draft = readDraft(await acts.draft('2.draft', '--pre-publish', 'spare'));
    const stranger = { alg: 'ed25519', kid: kid('root-1'), signature: new Uint8Array(64) } as const;
    const document = encodeCoseSign({
      protectedBytes: encodeBodyProtected(TYP.keyset),
      payload: draft.payload,
      signers: [{ ...stranger, protectedBytes: encodeSignerProtected('ed25519', stranger.kid) }],
    });
    const ledger = await openForSigning(openSite(fixture.site), testRuntime(), { command: 'test' });
    const payloadDigest = Buffer.from(draft.payloadDigest, 'hex');
    ledger.adopt({ act: 'keyset', version: 2, payloadDigest, document, reasons: [], operator: 'thief' });
    await ledger.anchor();
    ledger.close();
    const done = await refused('ledger', 'verify');
    expect(done).toEqual([19, expect.stringContaining('does not follow from the one before it')]);
    const next = await refused('keyset', 'show', '--chain');
    expect(next).toEqual([4, expect.stringContaining('does not follow from the one before it')]);
  });
});
