/**
 * The disk is full from one call on, by which drafting, signing or publishing a keyset changes a file: every third call
 * is tried. Each act says so in one sentence and leaves no half-written file. Once there is room, the same command signs
 * and publishes; a draft is made again under another name.
 *
 * It is among the token tests because it needs the same C compiler.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDraft } from '../../signer/keyset/draft.ts';
import { keysetSignings, publishedVersions } from '../../signer/keyset/published.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { FIRST_OF_TWO_ROOTS, type KeysetActs, makeSiteWithRoots } from '../support/keyset-acts.ts';
import { runCli } from '../support/run-cli.ts';
import type { SiteFixture } from '../support/site-fixture.ts';
import { diskFaultEnv } from '../crash/disk-faults/build-disk-faults.ts';

/** More calls than any of the commands makes. */
const MAX_CALLS = 150;
const EVERY = 3;

/**
 * What SQLite could not make or flush, it reports without the reason: the sentence then says what may be wrong with the
 * disk.
 */
const WORDS = [
  'the disk is full',
  'its disk may be full',
  'the ledger, its folder or its disk is read-only',
  'the disk reported an input/output error',
];

let fixture: SiteFixture;
let acts: KeysetActs;
beforeEach(async () => {
  acts = await makeSiteWithRoots();
  fixture = acts.fixture;
});
afterEach(() => {
  fixture.remove();
});

/** Runs a command with a disk that is full from a call on. @returns whether the command made fewer calls */
function withFullDisk(at: number, args: readonly string[]): boolean {
  const env = diskFaultEnv(fixture.folder, { at, how: 'ENOSPC+' });
  const { code, stderr } = runCli([...args, '--site', fixture.site], { env });
  const sentences = stderr.split('\n').filter((line) => line.startsWith('vtlic: '));
  if (code === 0) expect([at, args, sentences]).toEqual([at, args, []]);
  else expect([at, args, sentences]).toEqual([at, args, [expect.stringMatching(WORDS.join('|'))]]);
  // 2: the ledger could not even be opened for reading.
  expect([at, args, [0, 2, 11].includes(code ?? -1), code]).toEqual([at, args, true, code]);
  return code === 0;
}

async function recorded(): Promise<{ readonly signed: readonly number[]; readonly published: readonly number[] }> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    await ledger.verify();
    return {
      signed: keysetSignings(ledger).map(({ version }) => version),
      published: publishedVersions(ledger).map(({ version }) => version),
    };
  } finally {
    ledger.close();
  }
}

it('a full disk is named by each act of making a keyset, which is finished once there is room', async () => {
  const failures = { draft: 0, sign: 0, publish: 0 };
  const versions: number[] = [];
  for (let at = 1; ; at += EVERY) {
    expect(at).toBeLessThan(MAX_CALLS);
    const version = versions.length + 1;
    const changes = version === 1 ? FIRST_OF_TWO_ROOTS : ['--expires', `${2040 + version}-01-01`];
    const first = acts.file(`full-${version}.draft`);
    if (!withFullDisk(at, ['keyset', 'draft', ...changes, '--out', first])) failures.draft++;
    if (existsSync(first)) expect(readDraft(first).version).toBe(version);
    // A draft that is whole stays, and one of another second needs another name.
    const draft = await acts.draft(`${version}.draft`, ...changes);
    const confirm = ['--confirm', readDraft(draft).payloadDigest];
    const signature = acts.file(`${version}.signature`);
    const signing = ['keyset', 'sign', draft, '--key', 'root-1', '--out', signature, ...confirm, ...fixture.secret];
    const isSigned = withFullDisk(at, signing);
    if (!isSigned) failures.sign++;
    await acts.succeed(acts.run(...signing));
    const publishing = ['keyset', 'publish', draft, signature, ...confirm];
    const isPublished = withFullDisk(at, publishing);
    if (!isPublished) failures.publish++;
    await acts.succeed(acts.run(...publishing));
    versions.push(version);
    expect(await recorded()).toEqual({ signed: versions, published: versions });
    const names = readdirSync(fixture.folder, { recursive: true, encoding: 'utf8' });
    expect([at, names.filter((name) => name.endsWith('.tmp'))]).toEqual([at, []]);
    if (isSigned && isPublished) break;
  }
  expect(Math.min(failures.draft, failures.sign, failures.publish)).toBeGreaterThan(0);
}, 600_000);
