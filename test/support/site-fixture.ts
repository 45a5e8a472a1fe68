/** A real site in a temporary folder, with a software key that opens fast. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { toHex, utf8 } from '../../formats/bytes.ts';
import { createKeyFile } from '../../keys/private/software/key-file.ts';
import { keyFiles } from '../../signer/keys/file-keystore.ts';
import { claimKey } from '../../signer/keys/key-claim.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { createSite } from '../../signer/site/create-site.ts';
import { openSite, writeSite } from '../../signer/site/site.ts';
import type { Runtime } from '../../signer/runtime.ts';

export const PASSPHRASE = 'correct horse battery staple';
/** log2 of scrypt's N; real keys take 18. */
const FAST_WORK_FACTOR = 10;

export function testRuntime(changes: Partial<Runtime> = {}): Runtime {
  return {
    nowMs: Date.now,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    step: () => Promise.resolve(),
    interrupted: () => false,
    tell: () => undefined,
    operator: 'tester',
    ...changes,
  };
}

export interface SiteFixture {
  /** The folder of everything; `remove` deletes it. */
  readonly folder: string;
  readonly site: string;
  readonly anchor: string;
  /** Mode 0600. */
  readonly passphraseFile: string;
  readonly secret: readonly string[];
  readonly remove: () => void;
}

export interface FixtureOptions {
  readonly algorithm?: Algorithm;
  readonly runtime?: Partial<Runtime>;
}

export async function makeSite(options: FixtureOptions = {}): Promise<SiteFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-test-'));
  const runtime = testRuntime(options.runtime);
  const paths = await createSite(
    {
      folder: join(folder, 'site'),
      issuer: 'example-vendor',
      anchor: { kind: 'file', path: join(folder, 'anchor') },
      keystores: [{ type: 'file', name: 'local', path: 'keys' }],
      exampleCatalog: true,
    },
    runtime,
  );
  const site = openSite(paths.folder);
  const store = { type: 'file', name: 'local', path: 'keys' } as const;
  const files = keyFiles(paths, store, 'license-1');
  mkdirSync(paths.keys, { mode: 0o700 });
  const algorithm = options.algorithm ?? 'ed25519+ml-dsa-65';
  const key = await createKeyFile(files.key, algorithm, 'license', utf8(PASSPHRASE), runtime.random, {
    workFactor: FAST_WORK_FACTOR,
  });
  const ledger = openLedgerForReading(paths.ledger);
  await claimKey(files.claim, { kid: key.publicKey.kid, ledger: toHex(ledger.genesis.ledgerId) });
  ledger.close();
  writeSite(paths, {
    ...site.config,
    keys: [
      {
        name: 'license-1',
        purpose: 'license',
        algorithm,
        publicKey: key.publicKey,
        keystore: 'local',
        custody: 'software',
        made: '2026-01-01T00:00:00Z',
      },
    ],
    defaultKey: 'license-1',
  });
  await key.close();
  return withFolder(folder);
}

function withFolder(folder: string): SiteFixture {
  const passphraseFile = join(folder, 'passphrase');
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
  chmodSync(passphraseFile, 0o600);
  return {
    folder,
    site: join(folder, 'site'),
    anchor: join(folder, 'anchor'),
    passphraseFile,
    secret: ['--secret', `local=file:${passphraseFile}`],
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function day(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}

/** The design's example request, from today until 364 days later, with changes. */
export function requestDocument(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    schema: 'vtlic-request/1',
    customer: 'acme-gmbh',
    name: 'Acme GmbH',
    product: 'vaultdesk',
    deployment: 'prod-eu',
    tier: 'enterprise',
    seats: 250,
    from: day(0),
    until: day(364),
    graceDays: 30,
    features: ['audit-export', 'sso'],
    limits: { vaults: 50 },
    reference: 'PO-4711',
    ...changes,
  };
}

/** Writes a request into the fixture's folder and returns its path. */
export function writeRequest(
  fixture: SiteFixture,
  changes: Readonly<Record<string, unknown>> = {},
  name = 'request.json',
): string {
  const path = join(fixture.folder, name);
  writeFileSync(path, JSON.stringify(requestDocument(changes)));
  return path;
}
