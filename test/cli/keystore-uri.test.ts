/** PKCS#11 URIs and variables where they enter: `init` and `site.json`. Nothing is written, and no PIN is repeated. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../signer/cli/exit-codes.ts';
import { runHere, type RanHere } from '../support/run-here.ts';

const PIN = 'planted-7391';
const GOOD = 'pkcs11:token=vendor?module-path=/usr/lib/softhsm/libsofthsm2.so';

let folder: string;
let site: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-uri-'));
  site = join(folder, 'site');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const init = (...options: readonly string[]): Promise<RanHere> =>
  runHere(['init', site, '--issuer', 'example-vendor', ...options]);

describe('init', () => {
  it.each([
    `h=pkcs11:token=t?module-path=/x.so&pin-value=${PIN}`,
    `h=pkcs11:token=t;pin-value=${PIN}?module-path=/x.so`,
    `h=pkcs11:token=t?module-path=/x.so&PIN=${PIN}`,
    `h=PKCS11:token=t?module-path=/x.so&%70in-value=${PIN}`,
    `h=pkcs12:token=t?pin-value=${PIN}`,
    'h=pkcs11:garbage',
    'h=pkcs11:%%%;;=',
    'h=pkcs11:token=t?module-path=relative.so',
    'h=pkcs11:token=t',
    'h=pkcs11:color=blue?module-path=/x.so',
  ])('refuses the keystore %s, writes nothing, and repeats no PIN', async (keystore) => {
    const done = await init('--keystore', keystore);
    expect(done.code).toBe(EXIT.usage);
    expect(`${done.stdout}${done.stderr}`).not.toContain(PIN);
    expect(done.stderr).toMatch(/^ {2}→ \S/m);
    expect(existsSync(site)).toBe(false);
    expect(existsSync(`${site}.anchor`)).toBe(false);
  });

  it('says once that it ignores an attribute of the query', async () => {
    const done = await init('--keystore', `h=${GOOD}&color=blue`);
    expect(done.code).toBe(0);
    expect(done.stderr.match(/the attribute color .* is not known, and ignored/g)).toHaveLength(1);
  });

  it('writes the variables that a module needs into site.json', async () => {
    const variables = ['--keystore-env', 'h:PKCS11SPY', '--keystore-env', 'h:CKNFAST_LOADSHARING=1'];
    expect(await init('--keystore', `h=${GOOD}`, ...variables)).toMatchObject({ code: 0 });
    const document: unknown = JSON.parse(readFileSync(join(site, 'site.json'), 'utf8'));
    expect(document).toMatchObject({
      keystores: { h: { type: 'pkcs11', uri: GOOD, environment: { PKCS11SPY: true, CKNFAST_LOADSHARING: '1' } } },
    });
    expect(await runHere(['key', 'list', '--site', site])).toMatchObject({ code: 0 });
  });

  it.each(['h:LD_PRELOAD=/x.so', `h:TOKEN_PIN=${PIN}`, 'other:PKCS11SPY', 'PKCS11SPY'])(
    'refuses the variable %s',
    async (variable) => {
      const done = await init('--keystore', `h=${GOOD}`, '--keystore-env', variable);
      expect(done.code).toBe(EXIT.usage);
      expect(done.stderr).not.toContain(PIN);
      expect(existsSync(site)).toBe(false);
    },
  );
});

describe('site.json', () => {
  it.each([
    ['uri', `${GOOD}&pin-value=${PIN}`, 'a PIN in a URI'],
    ['uri', 'pkcs11:token=t?module-path=x.so', 'absolute path'],
    ['environment', { LD_PRELOAD: '/x.so' }, 'could load other code'],
    ['environment', { CS_PKCS11_R3_CFG: 'x.cfg' }, 'absolute path'],
  ])('is refused for a faulty %s (%j) with its place', async (member, value, words) => {
    expect(await init('--keystore', `h=${GOOD}`)).toMatchObject({ code: 0 });
    const path = join(site, 'site.json');
    const document = JSON.parse(readFileSync(path, 'utf8')) as { keystores: { h: Record<string, unknown> } };
    document.keystores.h[member] = value;
    writeFileSync(path, JSON.stringify(document, null, 2));
    const done = await runHere(['key', 'list', '--site', site]);
    expect(done.code).toBe(EXIT.usage);
    expect(done.stderr).toMatch(/site\.json:\d+:\d+: keystores\.h\./);
    expect(done.stderr).toContain(words);
    expect(done.stderr).not.toContain(PIN);
  });
});
