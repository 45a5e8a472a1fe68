/**
 * `--proof`: beside each license a proof that the ledger contains it; and a clear error, before any login, if no key
 * can sign it.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { csv, customers, row, writeBatch } from '../../../support/batch-file.ts';
import { checkBatch } from '../../../support/batch-ledger.ts';
import { runCli } from '../../../support/run-cli.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';
import { addKey } from '../../../support/site-keys.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

async function vtlic(...args: readonly string[]): Promise<RanHere> {
  return runHere([...args, '--site', fixture.site]);
}

async function plan(...args: readonly string[]): Promise<string> {
  return (await vtlic(...args, '--dry-run')).stdout.trim();
}

function batchFile(count: number): string {
  return writeBatch(fixture, csv(customers(count).map((name) => row(name))));
}

/** What somebody without the site finds. */
async function check(license: string): Promise<string> {
  const logKey = (await vtlic('ledger', 'checkpoint', '--log-key')).stdout.trim();
  const done = await runHere(['ledger', 'check', `${license}.tlog-proof`, '--license', license, '--log-key', logKey]);
  return `${done.stdout}${done.stderr}`;
}

function resultFiles(name: string): readonly string[] {
  return readFileSync(join(fixture.site, 'batches', name, 'results.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => join(fixture.site, (JSON.parse(line) as { readonly file: string }).file));
}

describe('with --proof', () => {
  beforeEach(async () => {
    await addKey(fixture, 'ledger-1', 'ledger');
  });

  it('issue and renew lay a proof beside the license; --dry-run says how', async () => {
    const planned = await vtlic('issue', writeRequest(fixture), '--proof', '--dry-run');
    expect(planned.stderr).toContain(`vtlic issue --confirm ${planned.stdout.trim()} --proof`);
    const done = await vtlic('issue', '--confirm', planned.stdout.trim(), '--proof', ...fixture.secret);
    const [license = '', proof] = done.stdout.trim().split('\n');
    expect([done.code, proof]).toEqual([0, `${license}.tlog-proof`]);
    expect(await check(license)).toMatch(/^valid: license [0-9a-f-]{36} \(counter 1\) is leaf 0 of 1 in/);
    const renewed = await vtlic(
      'renew',
      '--confirm',
      await plan('renew', 'acme-gmbh', '--seats', '300'),
      '--proof',
      '--json',
      ...fixture.secret,
    );
    const document = JSON.parse(renewed.stdout) as { readonly file: string; readonly proof: string };
    expect(document).toMatchObject({ schema: 'vtlic-issue/1', proof: `${document.file}.tlog-proof` });
    expect(await check(document.file)).toContain('(counter 2) is leaf 1 of 2');
  });

  it('a batch proves every row, to one checkpoint; a finished one, resumed, what is missing', async () => {
    const file = batchFile(5);
    const digest = await plan('batch', file, '--name', 'b', '--new-customers');
    const done = await vtlic('batch', '--confirm', digest, '--proof', ...fixture.secret);
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('proofs written beside the licenses: 5')]);
    const files = resultFiles('b');
    for (const license of files) expect(await check(license)).toMatch(/is leaf \d of 5 in/);
    expect(
      new Set(files.map((license) => readFileSync(`${license}.tlog-proof`, 'utf8').split('\n\n').slice(1).join('\n\n')))
        .size,
    ).toBe(1);
    // Older programs called it .proof.
    renameSync(`${files[2]}.tlog-proof`, `${files[2]}.proof`);
    rmSync(`${files[3]}.tlog-proof`);
    const again = await vtlic('batch', file, '--name', 'b', '--resume', '--proof', ...fixture.secret);
    expect([again.code, again.stderr]).toEqual([
      3,
      expect.stringMatching(/proofs written beside the licenses: 1; proofs that existed already: 4[\s\S]*is finished/),
    ]);
    expect(await check(files[3] ?? '')).toContain('valid: ');
  });

  it('a file in the way of a proof: exit 11, it is not touched, and the license is released and reported', async () => {
    await vtlic(
      'batch',
      '--confirm',
      await plan('batch', batchFile(1), '--name', 'b', '--new-customers'),
      ...fixture.secret,
    );
    const [first = ''] = resultFiles('b');
    const digest = await plan('renew', 'customer-0000', '--seats', '9');
    const second = join(first, '../2-');
    const done = await runHere(['renew', '--confirm', digest, '--proof', '--site', fixture.site, ...fixture.secret], {
      step: async (step) => {
        if (step === 'anchor-durable') writeFileSync(`${pathOfLast()}.tlog-proof`, 'something else');
        return Promise.resolve();
      },
    });
    const license = done.stdout.trim();
    expect(license.startsWith(second)).toBe(true);
    expect([done.code, done.stderr]).toEqual([
      11,
      expect.stringMatching(
        /signed and released: counter 2[\s\S]*never replaced; the licenses are signed and released[\s\S]*vtlic ledger prove [0-9a-f-]{36} --beside/,
      ),
    ]);
    expect(readFileSync(`${license}.tlog-proof`, 'utf8')).toBe('something else');
    expect((await checkBatch(fixture)).released).toBe(2);
  });

  it('keeps a valid proof, reports an invalid one without touching it, and writes the missing ones', async () => {
    const file = batchFile(4);
    const digest = await plan('batch', file, '--name', 'b', '--new-customers');
    expect((await vtlic('batch', '--confirm', digest, '--proof', ...fixture.secret)).code).toBe(0);
    const proofs = resultFiles('b').map((license) => `${license}.tlog-proof`);
    const [first = '', second = '', third = '', fourth = ''] = proofs;
    const bytes = readFileSync(second);
    copyFileSync(first, second);
    const flipped = readFileSync(third, 'utf8').replace(/\nindex \d+\n/, '\nindex 0\n');
    writeFileSync(third, flipped);
    rmSync(fourth);
    const again = async (): Promise<RanHere> =>
      vtlic('batch', file, '--name', 'b', '--resume', '--proof', ...fixture.secret);
    const told = await again();
    expect([told.code, told.stderr]).toEqual([
      11,
      expect.stringMatching(
        /is not a proof of its license, and it is never replaced[\s\S]*only proofs are missing[\s\S]*move it away, then: vtlic batch FILE --name b --resume --proof/,
      ),
    ]);
    expect(told.stderr).toContain(second);
    expect(told.stderr).toContain(third);
    expect([readFileSync(second), readFileSync(third, 'utf8'), existsSync(fourth)]).toEqual([
      readFileSync(first),
      flipped,
      true,
    ]);
    rmSync(second);
    rmSync(third);
    expect((await again()).stderr).toContain('proofs written beside the licenses: 2; proofs that existed already: 2');
    expect(readFileSync(second)).toEqual(bytes);
  });

  it('a proof that was torn off half-way is written whole', async () => {
    const file = batchFile(2);
    expect(
      (
        await vtlic(
          'batch',
          '--confirm',
          await plan('batch', file, '--name', 'b', '--new-customers'),
          '--proof',
          ...fixture.secret,
        )
      ).code,
    ).toBe(0);
    const [first = '', second = ''] = resultFiles('b').map((license) => `${license}.tlog-proof`);
    const bytes = [readFileSync(first), readFileSync(second)];
    truncateSync(first, 0);
    truncateSync(second, 100);
    const done = await vtlic('batch', file, '--name', 'b', '--resume', '--proof', ...fixture.secret);
    expect([done.code, done.stderr]).toEqual([
      3,
      expect.stringMatching(/proofs written beside the licenses: 2\n[\s\S]*is finished/),
    ]);
    expect([readFileSync(first), readFileSync(second)]).toEqual(bytes);
  });

  it('Ctrl-C while proofs are written ends it with exit 130 and says how to get the rest', async () => {
    const file = batchFile(5);
    const digest = await plan('batch', file, '--name', 'b', '--new-customers');
    let asked = -Infinity;
    const done = await runHere(['batch', '--confirm', digest, '--proof', '--site', fixture.site, ...fixture.secret], {
      interrupted: () => ++asked > 2,
      step: async (step) => {
        if (step === 'results-written') asked = 0;
        return Promise.resolve();
      },
    });
    expect([done.code, done.stderr]).toEqual([
      130,
      expect.stringMatching(
        /\.tlog-proof: interrupted: 2 proofs were written, and none from this one on; the licenses are signed and released[\s\S]*→ vtlic batch FILE --name b --resume --proof/,
      ),
    ]);
    const files = resultFiles('b');
    expect([files.length, files.filter((license) => existsSync(`${license}.tlog-proof`)).length]).toEqual([5, 2]);
    expect((await vtlic('batch', file, '--name', 'b', '--resume', '--proof', ...fixture.secret)).stderr).toContain(
      'proofs written beside the licenses: 3; proofs that existed already: 2',
    );

    const issued = await runHere(
      [
        'issue',
        '--confirm',
        await plan('issue', writeRequest(fixture)),
        '--proof',
        '--site',
        fixture.site,
        ...fixture.secret,
      ],
      {
        interrupted: () => asked > 99,
        step: async (step) => {
          if (step === 'release-durable') asked = 100;
          return Promise.resolve();
        },
      },
    );
    const license = issued.stdout.trim();
    expect([issued.code, issued.stderr]).toEqual([
      130,
      expect.stringMatching(
        /signed and released: counter 1[\s\S]*interrupted[\s\S]*vtlic ledger prove [0-9a-f-]{36} --beside/,
      ),
    ]);
    expect([existsSync(license), existsSync(`${license}.tlog-proof`)]).toEqual([true, false]);
  });

  it('one secret from a descriptor opens both keys of a keystore', async () => {
    const digest = await plan('issue', writeRequest(fixture));
    const done = runCli(['issue', '--confirm', digest, '--proof', '--site', fixture.site, '--secret', 'local=fd:0'], {
      input: `${PASSPHRASE}\n`,
    });
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('proved beside it')]);
  });

  it('--proof-key names the key, and takes no other', async () => {
    await addKey(fixture, 'ledger-2', 'ledger');
    const request = writeRequest(fixture);
    const ask = async (...args: readonly string[]): Promise<readonly [number, string]> => {
      const done = await vtlic('issue', request, '--dry-run', ...args);
      return [done.code, done.stderr];
    };
    expect(await ask('--proof')).toEqual([
      2,
      expect.stringMatching(/2 keys with the purpose ledger[\s\S]*ledger-1, ledger-2/),
    ]);
    expect(await ask('--proof', '--proof-key', 'license-1')).toEqual([
      2,
      expect.stringContaining('signs no checkpoints'),
    ]);
    expect(await ask('--proof-key', 'ledger-2')).toEqual([2, expect.stringContaining('needs --proof')]);
    expect((await ask('--proof', '--proof-key', 'ledger-2'))[0]).toBe(0);
  });
});

describe('without a key for it', () => {
  it.each(['none', 'composite'])(
    '--proof without a key for it (%s) is exit 2 and names the command, before a secret or the record is touched',
    async (which) => {
      if (which === 'composite') await addKey(fixture, 'ledger-1', 'ledger', 'ed25519+ml-dsa-65');
      const digest = await plan('issue', writeRequest(fixture));
      const batch = await plan('batch', batchFile(1), '--new-customers');
      const nowhere = ['--secret', `local=file:${join(fixture.folder, 'no-such-secret')}`];
      for (const args of [
        ['issue', '--confirm', digest],
        ['renew', '--confirm', digest],
        ['batch', '--confirm', batch],
      ]) {
        const done = await vtlic(...args, '--proof', ...nowhere);
        expect([done.code, done.stderr]).toEqual([
          2,
          expect.stringContaining('vtlic key generate --name ledger-1 --purpose ledger --algorithm ed25519'),
        ]);
      }
      expect((await checkBatch(fixture)).intents).toEqual([]);
      expect(existsSync(join(fixture.site, 'out'))).toBe(false);
    },
  );
});

/** Where the newest license is going to stand. */
function pathOfLast(): string {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    const [last] = ledger.unreleased();
    if (last === undefined) throw new Error('nothing is under way');
    return join(fixture.site, last.intent.body.path);
  } finally {
    ledger.close();
  }
}
