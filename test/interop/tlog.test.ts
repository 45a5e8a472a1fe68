/** Checkpoints and proofs against Go's `golang.org/x/mod/sumdb/{note,tlog}`, both ways (tlog-check/). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dearmor } from '../../formats/armor.ts';
import { toHex, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeInclusionProof } from '../../formats/tlog-proof.ts';
import { checkConsistency, checkInclusion } from '../../signer/ledger/tree/check-proof.ts';
import { decodeLogKey } from '../../signer/ledger/tree/log-key.ts';
import { inclusionHolds } from '../../signer/ledger/tree/merkle-proof.ts';
import { leafHash } from '../../signer/ledger/tree/merkle.ts';
import { openCheckpoint } from '../../signer/ledger/tree/sign-checkpoint.ts';
import { csv, row, writeBatch } from '../support/batch-file.ts';
import { runCli } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';
import { addKey } from '../support/site-keys.ts';

const LICENSES = 7;
const OLD = 3;
const SOURCE = join(import.meta.dirname, 'tlog-check');

let folder: string;
let program: string;

/** Pinned by go.mod and go.sum; the Go that is installed, never one that it would download. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-interop-'));
  program = join(folder, 'tlog-check');
  const built = spawnSync('go', ['build', '-trimpath', '-o', program, '.'], {
    cwd: SOURCE,
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
    encoding: 'utf8',
  });
  const needed = 'Go 1.24 or later is needed (Debian 13: apt-get install -y golang-go)';
  if (built.error !== undefined) throw new Error(needed, { cause: built.error });
  if (built.status !== 0) throw new Error(`${built.stderr}\n${needed}`);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What Go says; undefined where it refuses. */
function go(...args: readonly string[]): string | undefined {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

describe('Go checks ours', () => {
  let fixture: SiteFixture;
  let key: string;
  let old: string;
  const files: string[] = [];

  beforeAll(async () => {
    fixture = await makeSite({ algorithm: 'ed25519' });
    await addKey(fixture, 'ledger-1', 'ledger');
    key = runCli(['ledger', 'checkpoint', '--log-key', '--site', fixture.site]).stdout.trim();
    old = join(fixture.folder, 'old');
    for (let i = 0; i < LICENSES; i++) {
      const digest = runCli(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']).stdout.trim();
      files.push(runCli(['issue', '--confirm', digest, '--site', fixture.site, ...fixture.secret]).stdout.trim());
      if (i + 1 === OLD)
        expect(runCli(['ledger', 'checkpoint', '--out', old, '--site', fixture.site, ...fixture.secret]).code).toBe(0);
    }
  });
  afterAll(() => {
    fixture.remove();
  });

  it('Go opens our checkpoints', () => {
    const file = join(fixture.folder, 'new');
    const done = JSON.parse(
      runCli(['ledger', 'checkpoint', '--out', file, '--json', '--site', fixture.site, ...fixture.secret]).stdout,
    ) as { readonly root: string };
    expect(go('checkpoint', file, key)).toBe(`${LICENSES} ${Buffer.from(done.root, 'hex').toString('base64')}`);
    expect(go('checkpoint', old, key)?.startsWith(`${OLD} `)).toBe(true);
  });

  it('Go accepts our proof that each license is in the log', () => {
    const checkpoint = join(fixture.folder, 'new');
    files.forEach((file, i) => {
      const proof = join(fixture.folder, `proof-${i}`);
      expect(
        runCli(['ledger', 'prove', file, '--checkpoint', checkpoint, '--out', proof, '--site', fixture.site]).code,
      ).toBe(0);
      const [index, size, data] = (go('inclusion', proof, key) ?? '').split(' ');
      expect([index, size]).toEqual([String(i), String(LICENSES)]);
      expect(data).toBe(toHex(decodeInclusionProof(readFileSync(proof)).extra ?? new Uint8Array(0)));
      expect(checkInclusion(readFileSync(proof), [decodeLogKey(key)], dearmor('VTLIC', readFileSync(file))).index).toBe(
        i,
      );
    });
  });

  it('Go accepts the proof that was laid beside each license when it was signed', () => {
    const digest = runCli([
      'issue',
      writeRequest(fixture, { customer: 'proved' }),
      '--site',
      fixture.site,
      '--dry-run',
    ]).stdout.trim();
    const [file, proof] = runCli(['issue', '--confirm', digest, '--proof', '--site', fixture.site, ...fixture.secret])
      .stdout.trim()
      .split('\n');
    expect(go('inclusion', proof ?? '', key)?.startsWith(`${LICENSES} ${LICENSES + 1} `)).toBe(true);
    expect(
      checkInclusion(readFileSync(proof ?? ''), [decodeLogKey(key)], dearmor('VTLIC', readFileSync(file ?? ''))).index,
    ).toBe(LICENSES);
    const rows = writeBatch(fixture, csv(['a', 'b', 'c'].map((name) => row(name))));
    const plan = runCli([
      'batch',
      rows,
      '--name',
      'proved',
      '--new-customers',
      '--site',
      fixture.site,
      '--dry-run',
    ]).stdout.trim();
    expect(runCli(['batch', '--confirm', plan, '--proof', '--site', fixture.site, ...fixture.secret]).code).toBe(0);
    const proofs = readdirSync(join(fixture.site, 'out'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /[/][abc][/].*[.]tlog-proof$/.test(name),
    );
    expect(
      proofs
        .map((name) =>
          go('inclusion', join(fixture.site, 'out', name), key)
            ?.split(' ')
            .slice(0, 2)
            .join(' '),
        )
        .sort(),
    ).toEqual([8, 9, 10].map((i) => `${i} 11`).sort());
  });

  it('Go accepts our proof that the log only grew', () => {
    const proof = join(fixture.folder, 'growth');
    expect(
      runCli([
        'ledger',
        'prove',
        '--from',
        old,
        '--checkpoint',
        join(fixture.folder, 'new'),
        '--out',
        proof,
        '--site',
        fixture.site,
      ]).code,
    ).toBe(0);
    expect(go('growth', proof, old, key)).toBe(`${OLD} ${LICENSES}`);
  });

  it('Go refuses a proof with a bit changed, as we do', () => {
    const proof = readFileSync(join(fixture.folder, 'proof-4'));
    const bent = join(fixture.folder, 'bent');
    for (let at = 0; at < proof.length; at += 7) {
      const changed = Uint8Array.from(proof);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(bent, changed);
      expect(go('inclusion', bent, key), `byte ${at}`).toBeUndefined();
      expect(() => checkInclusion(changed, [decodeLogKey(key)]), `byte ${at}`).toThrow(VtlicError);
    }
  });
});

describe('we check what Go made', () => {
  it.each([
    [1, 1],
    [2, 1],
    [8, 5],
    [13, 8],
    [21, 13],
  ])('accepts the checkpoints and proofs of a log of %d leaves, and of %d before', (count, before) => {
    const made = join(folder, `made-${count}`);
    mkdirSync(made);
    expect(go('make', made, 'go.example/log', String(count), String(before))).toBe('');
    const read = (name: string): Uint8Array => readFileSync(join(made, name));
    const key = decodeLogKey(readFileSync(join(made, 'key'), 'utf8'));
    const head = openCheckpoint(read('new'), [key]);
    expect(head).toMatchObject({ origin: 'go.example/log', size: count });
    expect(checkConsistency(read('growth'), read('old'), [key])).toMatchObject({
      older: { size: before },
      newer: { size: count },
    });
    for (let i = 0; i < count; i++) {
      const proof = decodeInclusionProof(read(`leaf-${i}`));
      expect(proof.index).toBe(i);
      const { size, root } = openCheckpoint(proof.checkpoint, [key]);
      expect(inclusionHolds(leafHash(utf8(`leaf ${i}`)), i, size, proof.hashes, root)).toBe(true);
      expect(inclusionHolds(leafHash(utf8(`leaf ${i + 1}`)), i, size, proof.hashes, root)).toBe(false);
    }
  });

  it('finds no checkpoint in the note of the documentation of Go', () => {
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const key = decodeLogKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    // It is a good note by a known key, and no checkpoint.
    expect(() => openCheckpoint(utf8(text), [key])).toThrow('its second line is not the size of a tree');
  });
});
