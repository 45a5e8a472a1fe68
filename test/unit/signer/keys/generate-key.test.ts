/** `key generate` in a folder of files: a run that fails at any step leaves neither a key file nor a claim. */
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { generateKey, type NewKey } from '../../../../signer/keys/generate-key.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { openSite } from '../../../../signer/site/site.ts';
import type { Runtime } from '../../../../signer/runtime.ts';
import { makeSite, PASSPHRASE, testRuntime, type SiteFixture } from '../../../support/site-fixture.ts';

const WANTED: NewKey = {
  name: 'license-2',
  algorithm: 'ed25519+ml-dsa-65',
  purpose: 'license',
  keystore: 'local',
  wrapped: false,
  makeDefault: false,
};

let fixture: SiteFixture;
let ledgerId: string;
beforeAll(async () => {
  fixture = await makeSite();
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  ledgerId = toHex(ledger.genesis.ledgerId);
  ledger.close();
});
afterAll(() => {
  fixture.remove();
});

function generate(changes: Partial<Runtime> = {}): Promise<unknown> {
  const secrets = { asks: () => false, take: () => Promise.resolve(utf8(PASSPHRASE)) };
  return generateKey(fixture.site, WANTED, secrets, ledgerId, testRuntime(changes));
}

async function failure(changes: Partial<Runtime> = {}): Promise<unknown> {
  try {
    await generate(changes);
  } catch (error) {
    return error;
  }
  throw new Error('the key was made');
}

function keyFiles(): readonly string[] {
  return readdirSync(join(fixture.site, 'keys')).filter((name) => name.includes(WANTED.name));
}

function recorded(): boolean {
  return openSite(fixture.site).config.keys.some((key) => key.name === WANTED.name);
}

describe('a key generation that fails', () => {
  it('leaves nothing where the self-test of the new key cannot run', async () => {
    const error = new Error('no randomness');
    let taken = 0;
    // The seeds, the salt, the file key and the nonce come before the message of the self-test; the last one fails.
    const { random } = testRuntime();
    const counted = await failure({
      random: (length) => {
        taken++;
        if (keyFiles().length > 0) throw error;
        return random(length);
      },
    });
    expect(counted).toBe(error);
    expect(taken).toBeGreaterThan(1);
    expect([keyFiles(), recorded()]).toEqual([[], false]);
  });

  it('leaves nothing where its claim cannot be written', async () => {
    const blocked = join(fixture.site, 'keys', `.${WANTED.name}.claim.json.tmp`);
    mkdirSync(blocked);
    const error = await failure();
    rmdirSync(blocked);
    expect(error).toBeInstanceOf(VtlicError);
    expect([keyFiles(), recorded()]).toEqual([[], false]);
  });

  it('leaves the claim of another key that was there before it', async () => {
    const claim = join(fixture.site, 'keys', `${WANTED.name}.claim.json`);
    writeFileSync(claim, JSON.stringify({ schema: 'vtlic-claim/1', kid: '0'.repeat(64), ledger: ledgerId }));
    expect(await failure()).toMatchObject({ code: 'key_claimed' });
    expect(keyFiles()).toEqual([`${WANTED.name}.claim.json`]);
    expect(recorded()).toBe(false);
  });

  it('leaves nothing where site.json cannot be written, and the same name works afterwards', async () => {
    rmSync(join(fixture.site, 'keys', `${WANTED.name}.claim.json`));
    const blocked = join(fixture.site, '.site.json.new');
    mkdirSync(blocked);
    const error = await failure();
    rmdirSync(blocked);
    expect(error).toMatchObject({ code: 'output_unwritable' });
    expect([keyFiles(), recorded()]).toEqual([[], false]);
    await generate();
    expect([keyFiles().toSorted(), recorded()]).toEqual([[`${WANTED.name}.age`, `${WANTED.name}.claim.json`], true]);
  });
});
