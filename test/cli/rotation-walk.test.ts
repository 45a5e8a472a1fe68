/** Walks through docs/rotation.md as its reader does: the move to the composite, a lost key and a stolen one. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../verifier/index.ts';
import { builtInChain, chooseKeyset, trustOfChain } from '../../verifier/keyset/index.ts';
import { yearWith } from '../support/officers-year.ts';
import {
  predictedOn,
  ProductsInTheField,
  type FieldRefusal,
  type Prediction,
} from '../support/products-in-the-field.ts';
import { ROOT } from '../support/run-cli.ts';
import { runHere } from '../support/run-here.ts';
import { constantPart, walkDocument, type Walked } from '../support/walk-document.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-walk-'));
const site = join(folder, 'my-site');
const PLAN = join(folder, 'to-composite.json');
const field = new ProductsInTheField(site);

/** What the products in the field say at the end of a day, and what the simulator says of them. */
interface Day {
  readonly day: string;
  readonly releases: readonly string[];
  readonly products: readonly FieldRefusal[];
  readonly predicted: readonly FieldRefusal[];
}

const days: Day[] = [];
/** Made when the page makes the plan. */
let ahead: Prediction | undefined;
let walked: Walked;
beforeAll(async () => {
  walked = await walkDocument(readFileSync(join(ROOT, 'docs/rotation.md'), 'utf8'), {
    ...yearWith(0, folder),
    afterStep: (nowMs) => field.look(nowMs / 1000),
    endOfDay: async (nowMs) => {
      const products = await field.ask(nowMs / 1000);
      const predicted = predictedOn(await simulated(nowMs), nowMs / 1000);
      if (ahead === undefined && existsSync(PLAN)) ahead = await simulated(nowMs, '--plan', PLAN);
      const releases = [...new Set(field.installs.map(({ release }) => release.name))];
      days.push({ day: new Date(nowMs).toISOString().slice(0, 10), releases, products, predicted });
    },
  });
}, 2_400_000);
afterAll(async () => {
  await field.remove();
  rmSync(folder, { recursive: true });
});

async function simulated(nowMs: number, ...args: readonly string[]): Promise<Prediction> {
  const done = await runHere(['rotation', 'simulate', '--json', '--site', site, ...args], { nowMs: () => nowMs });
  expect([0, 19]).toContain(done.code);
  return JSON.parse(done.stdout) as Prediction;
}

/** 2027-09-15T00:00:00Z, a day after the last step of the page. */
const NOW = 1_820_966_400;

describe('the rotation of docs/rotation.md', () => {
  it('runs from its document only: every command does what the page shows', () => {
    for (const { command, code, shown, expected } of walked.steps) {
      expect(constantPart(shown)).toBe(constantPart(expected));
      expect([command, code]).toEqual([command, shown.includes('vtlic: too early') ? 3 : 0]);
    }
    expect(walked.steps.length).toBeGreaterThan(40);
    expect(walked.steps.filter(({ code }) => code === 3)).toHaveLength(1);
  });

  it('refuses no license on any of its days in any product that customers run, as it was simulated', () => {
    expect(days.map(({ day }) => day)).toEqual([
      '2026-12-01',
      '2026-12-10',
      '2027-01-15',
      '2027-04-02',
      '2027-05-03',
      '2027-06-01',
      '2027-09-13',
      '2027-09-14',
    ]);
    for (const { day, releases, products, predicted } of days) {
      expect([day, releases.length > 0, products, predicted]).toEqual([day, true, [], []]);
      const names = day < '2027-01-15' ? ['4.1'] : day < '2027-04-01' ? ['4.1', '5.0'] : ['5.0'];
      expect([day, releases]).toEqual([day, names.map((name) => `vaultdesk ${name}`)]);
    }
    expect(ahead?.refused).toEqual([]);
  });

  it('leaves every license in force in every product that has one of its keysets built in', () => {
    const keysets = join(folder, 'my-site/keysets');
    const chain = readFileSync(join(keysets, 'chain.keyset'));
    const licenses = readdirSync(join(folder, 'my-site/out'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.vtlic'),
    );
    expect(licenses.length).toBe(4);
    const versions = readdirSync(keysets).filter((name) => /^\d+\.keyset$/.test(name));
    expect(versions.length).toBeGreaterThanOrEqual(6);
    for (const version of versions) {
      const builtIn = builtInChain(readFileSync(join(keysets, version)), { issuer: 'example-vendor' });
      const trust = trustOfChain(chooseKeyset({ builtIn, file: chain }).chain);
      for (const name of licenses) {
        const verdict = verify(readFileSync(join(folder, 'my-site/out', name)), trust, {
          issuer: 'example-vendor',
          product: 'vaultdesk',
          now: NOW,
          defaultGrace: 0,
        });
        expect([version, name, verdict.ok ? verdict.state : verdict.reason]).toEqual([version, name, 'active']);
      }
    }
  });
});
