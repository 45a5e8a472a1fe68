/** A hasty officer and a hostile root holder: two processes at once, files that change while they are shown, links. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDraft } from '../../signer/keyset/draft.ts';
import { keysetSignings, publishedVersions } from '../../signer/keyset/published.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { FIRST_OF_TWO_ROOTS, KeysetActs, makeSiteWithRoots } from '../support/keyset-acts.ts';
import { baseEnv, MAIN, PtyRun } from '../support/run-cli.ts';
import type { SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let acts: KeysetActs;
beforeEach(async () => {
  acts = await makeSiteWithRoots();
  fixture = acts.fixture;
});
afterEach(() => {
  fixture.remove();
});

/** The real command as a process of its own. @returns its exit code */
function start(...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [MAIN, ...args, '--site', fixture.site], { env: baseEnv({}), stdio: 'ignore' });
  return new Promise((resolve) => child.once('close', resolve));
}

function inLedger(): { readonly signed: number; readonly published: number } {
  const ledger = openLedgerForReading(`${fixture.site}/ledger.sqlite`);
  try {
    return { signed: keysetSignings(ledger).length, published: publishedVersions(ledger).length };
  } finally {
    ledger.close();
  }
}

describe('two processes at once', () => {
  it('never sign two drafts of one version with one root key', async () => {
    const drafts = [
      await acts.draft('a.draft', ...FIRST_OF_TWO_ROOTS),
      await acts.draft('b.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01'),
    ];
    const sign = (draft: string): Promise<number | null> => {
      const confirm = ['--confirm', readDraft(draft).payloadDigest, ...fixture.secret];
      return start('keyset', 'sign', draft, '--key', 'root-1', '--out', `${draft}.signature`, ...confirm);
    };
    const codes = await Promise.all(drafts.map(sign));
    expect(codes.filter((code) => code === 0)).toHaveLength(1);
    expect(drafts.filter((draft) => existsSync(`${draft}.signature`))).toHaveLength(1);
    // Whichever was too late, because the other had the ledger, is too late for ever.
    expect(await sign(drafts[codes.findIndex((code) => code !== 0)] ?? '')).toBe(4);
    expect(inLedger().signed).toBe(1);
  });

  it('publish a version once', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const publish = [draft, await acts.sign(draft, 'root-1'), '--confirm', readDraft(draft).payloadDigest];
    const codes = await Promise.all([start('keyset', 'publish', ...publish), start('keyset', 'publish', ...publish)]);
    expect(codes).toContain(0);
    expect(inLedger().published).toBe(1);
    await acts.succeed(acts.run('keyset', 'publish', ...publish));
    expect(inLedger().published).toBe(1);
  });
});

describe('a draft that is replaced while an officer reads it', () => {
  it('is signed as it was shown', async () => {
    const shown = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const { payloadDigest } = readDraft(shown);
    const other = await acts.draft('other.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01');
    const signature = acts.file('signature');
    const sign = ['keyset', 'sign', shown, '--key', 'root-1', '--out', signature, '--site', fixture.site];
    const run = new PtyRun([...sign, ...fixture.secret]);
    await run.until(/Type Yes/, 60_000);
    expect(run.output).toContain(payloadDigest);
    copyFileSync(other, shown);
    run.type('Yes\r');
    expect(await run.ended()).toBe(0);
    expect(acts.json(signature)['payloadSha256']).toBe(payloadDigest);
    const refused = await acts.run('keyset', 'publish', shown, signature);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('the signature of another draft')]);
  });
});

describe('a signature file that is replaced', () => {
  it('between the review of the draft and its publication is refused, and nothing is published', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const other = await acts.draft('other.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01', '--version', '2');
    const signature = await acts.sign(draft, 'root-1');
    const foreign = await acts.sign(other, 'root-2');
    expect(await acts.succeed(acts.run('keyset', 'show', draft))).toContain(readDraft(draft).payloadDigest);
    const original = acts.json(signature);
    copyFileSync(foreign, signature);
    const publish = ['keyset', 'publish', draft, signature, '--confirm', readDraft(draft).payloadDigest];
    const swapped = await acts.run(...publish);
    expect([swapped.code, swapped.stderr]).toEqual([3, expect.stringContaining('the signature of another draft')]);
    writeFileSync(signature, JSON.stringify({ ...original, signature: acts.json(foreign)['signature'] }));
    const altered = await acts.run(...publish);
    expect([altered.code, altered.stderr]).toEqual([
      19,
      expect.stringMatching(/signature of the root key .* not valid/),
    ]);
    expect([inLedger().published, existsSync(`${fixture.site}/keysets`)]).toEqual([0, false]);
    writeFileSync(signature, JSON.stringify(original));
    await acts.succeed(acts.run(...publish));
    expect(inLedger().published).toBe(1);
  });

  it('while an officer reads what is published changes nothing: what was judged is published', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const signature = await acts.sign(draft, 'root-1');
    const run = new PtyRun(['keyset', 'publish', draft, signature, '--site', fixture.site]);
    await run.until(/Type Yes/, 60_000);
    writeFileSync(signature, '{}');
    run.type('Yes\r');
    expect(await run.ended()).toBe(0);
    expect(inLedger().published).toBe(1);
  });
});

describe('a clock that is set back', () => {
  it('between the draft and the signature is named with both times, and nothing is signed', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const before = new KeysetActs(fixture, { nowMs: () => Date.now() - 3_600_000 });
    const refused = await before.runOpen('keyset', 'sign', draft, '--key', 'root-1');
    expect([refused.code, refused.stderr]).toEqual([
      10,
      expect.stringMatching(
        /the draft was made at [^ ]+, later than this machine's clock reads \([^ ]+\)\n.*check the clock/,
      ),
    ]);
    expect([inLedger().signed, existsSync(`${draft}.signature`)]).toEqual([0, false]);
    const signature = await acts.sign(draft, 'root-1');
    const late = await before.run('keyset', 'publish', draft, signature);
    expect([late.code === 0, inLedger().published]).toEqual([false, 0]);
    await acts.publish(draft, signature);
  });
});

describe('a link in the place of a new file', () => {
  it('is neither followed nor replaced by a signature or a draft', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    for (const [name, args] of [
      ['signature', ['keyset', 'sign', draft, '--key', 'root-1', ...fixture.secret]],
      ['draft', ['keyset', 'draft', ...FIRST_OF_TWO_ROOTS]],
    ] as const) {
      const target = acts.file(`target of a ${name}`);
      const link = acts.file(`link of a ${name}`);
      symlinkSync(target, link);
      const done = await acts.run(...args, '--out', link);
      expect([name, done.code === 0, existsSync(target)]).toEqual([name, false, false]);
    }
    expect(readFileSync(draft, 'utf8')).toContain('vtlic-keyset-draft/1');
  });
});
