/**
 * The process is killed after each call by which an act changes a file below `keysets/`: the acts that record nothing,
 * and only write a draft, a table or an export. The same command then finishes the act, or it finds the draft whole and
 * says to move it away; no half-written file is left, and the ledger has no new entry.
 *
 * It is among the token tests because it needs the same C compiler.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDraft } from '../../signer/keyset/draft.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { runHere } from '../support/run-here.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';
import { diskFaultEnv } from '../crash/disk-faults/build-disk-faults.ts';

/** More calls than any of the acts makes. */
const MAX_CALLS = 60;
/** One minute ahead of the processes that are killed: a draft that is made again is another one. */
const LATER = { nowMs: () => Date.now() + 60_000 };

let fixture: SiteFixture;
let acts: KeysetActs;
let keysets: string;
let license: string;

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const root of ['root-1', 'root-2']) await addKey(fixture, root, 'root');
  for (const key of ['license-2', 'spare', 'new']) await addKey(fixture, key, 'license');
  await addKey(fixture, 'log-1', 'ledger');
  acts = new KeysetActs(fixture);
  keysets = join(fixture.site, 'keysets');
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify({ schema: 'vtlic-releases/1', releases: [] }));
  const keys = ['--activate', 'license-1', '--activate', 'license-2', '--pre-publish', 'spare'];
  const roots = ['--add-root', 'root-1', '--add-root', 'root-2', '--threshold', '1'];
  await acts.next('1.draft', [...roots, ...keys], ['root-1']);
  const plan = await acts.succeed(acts.run('issue', writeRequest(fixture), '--dry-run', '--key', 'license-1'));
  const file = await acts.succeed(acts.runOpen('issue', '--confirm', plan));
  license = decodeLicense(decodeCoseSign1(dearmor('VTLIC', readFileSync(file)), TYP.license).payload).cti;
}, 120_000);
afterAll(() => {
  fixture.remove();
});

interface Act {
  readonly args: readonly string[];
  /** The new files below `keysets/`, in the order in which they are written. */
  readonly files: readonly string[];
  readonly secret?: boolean;
  /** `keyset export` needs no site. */
  readonly noSite?: boolean;
}

const DRAFT = ['2.draft'];
const ACTS: Readonly<Record<string, () => Act>> = {
  'keyset draft': () => ({ args: ['keyset', 'draft', '--pre-publish', 'new'], files: DRAFT }),
  'rotation pre-publish': () => ({ args: ['rotation', 'pre-publish', 'new'], files: DRAFT }),
  'rotation activate': () => ({ args: ['rotation', 'activate', 'spare'], files: DRAFT }),
  'rotation retire': () => ({ args: ['rotation', 'retire', 'license-2'], files: DRAFT }),
  'rotation revoke': () => ({ args: ['rotation', 'revoke', 'license-2'], files: DRAFT }),
  'rotation lost': () => ({ args: ['rotation', 'lost', 'license-1'], files: DRAFT }),
  'rotation stolen': () => ({
    args: ['rotation', 'stolen', 'license-1'],
    files: ['reissue-license-1.csv', ...DRAFT],
  }),
  'rotation reissue': () => ({ args: ['rotation', 'reissue', 'license-1'], files: ['reissue-license-1.csv'] }),
  'vtlic revoke': () => ({ args: ['revoke', license], files: DRAFT }),
  'vtlic supersede': () => ({ args: ['supersede', license], files: DRAFT }),
  'rotation signed-by': () => ({
    args: ['rotation', 'signed-by', 'license-1', '--out', join(keysets, 'signed.json')],
    files: ['signed.json'],
    secret: true,
  }),
  'keyset export': () => ({
    args: ['keyset', 'export', join(keysets, 'chain.keyset'), '--form', 'jwks', '--out', join(keysets, 'keys.json')],
    files: ['keys.json'],
    noSite: true,
  }),
};

const DRAFT_EXISTS = /2\.draft: a file already exists here and is never replaced\n.*move it away/;

function commandOf({ args, secret, noSite }: Act): readonly string[] {
  return [...args, ...(noSite === true ? [] : ['--site', fixture.site]), ...(secret === true ? fixture.secret : [])];
}

function withFault(args: readonly string[], under: string, at: number, how: string): CliResult {
  return runCli(args, { env: diskFaultEnv(under, { at, how }) });
}

function isKilled({ code, signal }: CliResult): boolean {
  return signal === 'SIGKILL' || code === 137;
}

function listing(): readonly string[] {
  return readdirSync(keysets).toSorted();
}

/** The files of an act under their final names, as far as they are there. */
function written({ files }: Act): readonly (readonly [string, string])[] {
  return files
    .filter((name) => existsSync(join(keysets, name)))
    .map((name) => [name, readFileSync(join(keysets, name), 'utf8')]);
}

async function head(): Promise<unknown> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    await ledger.verify();
    return ledger.head();
  } finally {
    ledger.close();
  }
}

/** What a whole file of this name has in it, but for the second at which a draft was made. */
function contentOf(name: string, text: string): unknown {
  if (!name.endsWith('.draft')) return text;
  const { keyset, base, early, emergency } = readDraft(join(keysets, name));
  return [{ ...keyset, made: 0 }, base, early, emergency];
}

function contents(act: Act): readonly unknown[] {
  return written(act).map(([name, text]) => contentOf(name, text));
}

function clear({ files }: Act): void {
  for (const name of files) rmSync(join(keysets, name), { force: true });
}

describe('kill -9 of an act that only writes files', () => {
  it.each(Object.keys(ACTS))(
    'after each call of %s leaves whole files or none, and the same command or its hint finishes the act',
    async (name) => {
      const act = ACTS[name]?.() ?? { args: [], files: [] };
      const args = commandOf(act);
      clear(act);
      const [before, recorded] = [listing(), await head()];
      const whole = runCli(args);
      expect([whole.code, whole.stderr]).toEqual([0, expect.anything()]);
      const expected = contents(act);
      expect(listing()).toEqual([...before, ...act.files].toSorted());
      const states = new Set<number>();
      for (let at = 1; ; at++) {
        clear(act);
        const killed = withFault(args, keysets, at, 'kill-after');
        if (!isKilled(killed)) {
          expect([at > 4, killed.code, killed.stderr]).toEqual([true, 0, expect.anything()]);
          break;
        }
        expect(at).toBeLessThan(MAX_CALLS);
        const left = written(act);
        states.add(left.length);
        expect([at, contents(act)]).toEqual([at, expected.slice(0, left.length)]);
        let again = await runHere(args, LATER);
        if (again.code !== 0) {
          // The draft is whole, and is never replaced by one of another second.
          expect([at, again.code, again.stderr]).toEqual([at, 11, expect.stringMatching(DRAFT_EXISTS)]);
          expect([at, written(act)]).toEqual([at, left]);
          // What belongs beside it is finished once the draft is moved away, as the hint says.
          if (act.files.length > 1) {
            rmSync(join(keysets, '2.draft'));
            again = await runHere(args, LATER);
            expect([at, again.code, again.stderr]).toEqual([at, 0, expect.anything()]);
          }
        }
        expect([at, contents(act)]).toEqual([at, expected]);
        expect([at, listing()]).toEqual([at, [...before, ...act.files].toSorted()]);
        expect([at, await head()]).toEqual([at, recorded]);
      }
      clear(act);
      expect([...states].toSorted()).toEqual([...act.files, ''].map((_file, count) => count));
    },
    300_000,
  );
});
