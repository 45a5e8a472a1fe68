/** A site to kill processes in, with keys for licenses, checkpoints and counters in one of three keystores. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSite } from '../../../signer/site/site.ts';
import { runCli } from '../../support/run-cli.ts';
import { makeSite } from '../../support/site-fixture.ts';
import { addKey } from '../../support/site-keys.ts';
import { makeKryoptic } from '../../pkcs11/support/kryoptic.ts';
import { makeSofthsm } from '../../pkcs11/support/softhsm.ts';

export const KEYSTORES = ['software', 'softhsm', 'kryoptic'] as const;
export type KeystoreName = (typeof KEYSTORES)[number];

export interface Place {
  readonly keystore: KeystoreName;
  /** Holds the site, the anchor and everything that is written. */
  readonly folder: string;
  readonly site: string;
  /** The file of the anchor now; undefined if it is in the token, or on the way there or from there. */
  anchor: string | undefined;
  /** A file to which the anchor is being moved. */
  movingTo?: string | undefined;
  /** Output files of commands. */
  readonly given: string;
  readonly secret: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly remove: () => void;
}

const TOKEN = 'crash';

/** Who gets single licenses. */
export const CUSTOMERS: readonly string[] = ['acme-gmbh', 'beta-inc', 'gamma-ltd'];

export interface PlaceOptions {
  /** In software: with a composite license key, which signs slower. */
  readonly composite?: boolean;
  /** With a token: the anchor is in it too. */
  readonly anchorInToken?: boolean;
}

export async function makePlace(
  keystore: KeystoreName,
  { composite = false, anchorInToken = false }: PlaceOptions = {},
): Promise<Place> {
  return keystore === 'software' ? makeSoftwarePlace(composite) : makeTokenPlace(keystore, anchorInToken);
}

async function makeSoftwarePlace(composite: boolean): Promise<Place> {
  const fixture = await makeSite({ algorithm: composite ? 'ed25519+ml-dsa-65' : 'ed25519' });
  await addKey(fixture, 'log', 'ledger');
  await addKey(fixture, 'counters', 'counters');
  const given = join(fixture.folder, 'given');
  mkdirSync(given);
  return {
    keystore: 'software',
    folder: fixture.folder,
    site: fixture.site,
    anchor: fixture.anchor,
    given,
    secret: fixture.secret,
    env: {},
    remove: fixture.remove,
  };
}

function makeTokenPlace(keystore: 'softhsm' | 'kryoptic', anchorInToken: boolean): Place {
  const token = keystore === 'softhsm' ? makeSofthsm(TOKEN) : makeKryoptic([TOKEN]);
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-crash-'));
  const pin = join(folder, 'pin');
  writeFileSync(pin, token.pin, { mode: 0o600 });
  const site = join(folder, 'site');
  const given = join(folder, 'given');
  mkdirSync(given);
  const anchor = anchorInToken ? undefined : join(folder, 'anchor');
  const secret = ['--secret', `hsm=file:${pin}`];
  const must = (...args: readonly string[]): void => {
    const done = runCli(args, { env: token.environment });
    if (done.code !== 0) throw new Error(`vtlic ${args.join(' ')}: ${done.code}\n${done.stderr}`);
  };
  must(
    'init',
    site,
    '--issuer',
    'example-vendor',
    '--example-catalog',
    '--keystore',
    `hsm=pkcs11:token=${TOKEN}?module-path=${token.module}`,
    '--anchor',
    ...(anchor === undefined ? ['token:hsm', ...secret] : [anchor]),
  );
  for (const [name, purpose] of [
    ['license-1', 'license'],
    ['log', 'ledger'],
    ['counters', 'counters'],
  ] as const) {
    must(
      'key',
      'generate',
      '--site',
      site,
      '--name',
      name,
      '--purpose',
      purpose,
      '--algorithm',
      'ed25519',
      '--keystore',
      'hsm',
      ...secret,
    );
  }
  // A composite key too where the token can make one.
  if (keystore === 'kryoptic')
    must(
      'key',
      'generate',
      '--site',
      site,
      '--name',
      'license-2',
      '--default',
      '--algorithm',
      'ed25519+ml-dsa-65',
      '--keystore',
      'hsm',
      ...secret,
    );
  openSite(site);
  return {
    keystore,
    folder,
    site,
    anchor,
    given,
    secret,
    env: token.environment,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
      token.remove();
    },
  };
}
