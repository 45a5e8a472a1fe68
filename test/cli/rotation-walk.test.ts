/** Walks through docs/rotation.md as its reader does: the move to the composite, a lost key and a stolen one. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../verifier/index.ts';
import { builtInChain, chooseKeyset, trustOfChain } from '../../verifier/keyset/index.ts';
import { endOfDay, expectNoRefusal, simulated, type FieldDay } from '../support/days-in-the-field.ts';
import { yearWith } from '../support/officers-year.ts';
import { ProductsInTheField, type Prediction } from '../support/products-in-the-field.ts';
import { ROOT } from '../support/run-cli.ts';
import { constantPart, walkDocument, type Walked } from '../support/walk-document.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-walk-'));
const site = join(folder, 'my-site');
const PLAN = join(folder, 'to-composite.json');
const field = new ProductsInTheField(site);

const days: FieldDay[] = [];
/** Made when the page makes the plan. */
let ahead: Prediction | undefined;
let walked: Walked;
beforeAll(async () => {
  walked = await walkDocument(readFileSync(join(ROOT, 'docs/rotation.md'), 'utf8'), {
    ...yearWith(0, folder),
    afterStep: (nowMs) => field.look(nowMs / 1000),
    endOfDay: async (nowMs) => {
      days.push(await endOfDay(field, site, nowMs));
      if (ahead === undefined && existsSync(PLAN)) ahead = await simulated(site, nowMs, '--plan', PLAN);
    },
  });
}, 2_400_000);
afterAll(async () => {
  await field.remove();
  rmSync(folder, { recursive: true });
});

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
    expectNoRefusal(days);
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
