/** `vtlic keyset sign DRAFT`: one root key signs a draft that a person has read. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { createDurably } from '../../../files/index.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { requireClock } from '../../issue/open-ledger.ts';
import { anchorKeystores, openingWith } from '../../keys/ledger-opening.ts';
import { openKey } from '../../keys/open-key.ts';
import { type Draft, readDraft, requireFreshDraft } from '../../keyset/draft.ts';
import {
  encodePartialSignature,
  type PartialSignature,
  readPartialSignature,
  requireSignature,
  type SignatureContext,
} from '../../keyset/partial-signature.ts';
import { publishedVersions } from '../../keyset/published.ts';
import { rootRecordStore } from '../../keyset/root-record.ts';
import { requireRootMaySign, signDraft, versionBefore } from '../../keyset/sign-draft.ts';
import { openLedgerForReading } from '../../ledger/index.ts';
import { askForYes } from '../../plan/review.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Site } from '../../site/site.ts';
import { draftView } from '../drafting.ts';
import { nameOfSite } from '../named-keys.ts';
import type { Io } from '../io.ts';
import { withAccess } from '../key-access.ts';
import { keyWithPurpose } from '../log-signing.ts';
import {
  newFilePath,
  openNamedSite,
  secretOption,
  type SecretOptions,
  siteOption,
  type SiteOptions,
} from '../options.ts';
import type { Terminal } from '../terminal.ts';

interface SignOptions extends SiteOptions, SecretOptions {
  readonly key?: string;
  readonly confirm?: string;
  readonly out?: string;
  readonly json?: boolean;
}

const HELP = `
Shows what the draft changes, and signs it after you type Yes, or with --confirm
and the SHA-256 of the payload that you reviewed. After that, the root key signs
no other draft of this version. Carry the file with the signature to the site
that publishes the keyset.

Example:
  vtlic keyset sign 2.draft --key root-1`;

export function addKeysetSign(parent: Command, io: Io): void {
  const command = parent
    .command('sign <draft>')
    .description('signs a draft with one root key')
    .option('--key <name>', 'the root key (default: the only one with the purpose root)')
    .option('--confirm <digest>', 'sign exactly the payload with this SHA-256')
    .option('--out <file>', 'the new file of the signature (default: beside the draft)')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  secretOption(siteOption(command)).action(async (name: string, options: SignOptions) => {
    const site = openNamedSite(io, options);
    const path = resolve(io.cwd, name);
    // Read once: what is shown is what is signed.
    const draft = readDraft(path);
    const record = keyWithPurpose(site, 'root', options.key);
    const { kid } = record.publicKey;
    const target = newFilePath(io, options.out ?? `${path}.${kid.slice(0, 8)}.signature`);
    requireFreshDraft(draft, nowSeconds(io.runtime));
    await withAccess(io, site, options, { key: record, anchors: anchorKeystores(site) }, async (access, terminal) => {
      await review(io, site, draft, { kid, confirm: options.confirm, terminal });
      const ledger = await openForSigning(site, io.runtime, { command: 'keyset sign', ...openingWith(access, record) });
      try {
        const key = await openKey(access, record, toHex(ledger.genesis.ledgerId));
        try {
          requireClock(ledger, nowSeconds(io.runtime));
          const store = await rootRecordStore(access, record);
          const signature = await signDraft(draft, { ledger, key, record: store, runtime: io.runtime });
          const before = publishedVersions(ledger).at(-1)?.keyset;
          await writeSignature(io, target, signature, { draft, before, formerRoots: new Map() });
        } finally {
          await key.close();
        }
      } finally {
        ledger.close();
      }
      io.err(`signed: version ${draft.version}, by the root key ${record.name}`);
      io.out(
        options.json === true
          ? jsonLine({
              schema: 'vtlic-keyset-signed/1',
              file: target,
              version: draft.version,
              payloadSha256: draft.payloadDigest,
              kid,
            })
          : `${cleanText(target, 4000)}\n`,
      );
    });
  });
}

/**
 * A composite key signs differently each time: a run that was interrupted after its signature was written is repeated,
 * and keeps that one.
 */
async function writeSignature(
  io: Io,
  file: string,
  signature: PartialSignature,
  context: SignatureContext,
): Promise<void> {
  try {
    await createDurably(file, encodePartialSignature(signature), 0o644, { folderExists: true });
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'output_exists') throw error;
    if (!isSignatureOf(file, signature, context)) throw error;
    io.err('the file already contains a valid signature by this key: it is kept');
  }
}

function isSignatureOf(file: string, { kid }: PartialSignature, context: SignatureContext): boolean {
  try {
    const found = readPartialSignature(file);
    requireSignature(found, context, file);
    return found.kid === kid;
  } catch (error) {
    if (error instanceof VtlicError) return false;
    throw error;
  }
}

interface Review {
  readonly kid: string;
  readonly confirm: string | undefined;
  readonly terminal: Terminal | undefined;
}

/** @throws VtlicError `plan_stale` for another payload than was reviewed, `declined`, `usage` */
async function review(io: Io, site: Site, draft: Draft, { kid, confirm, terminal }: Review): Promise<void> {
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const before = versionBefore(draft, publishedVersions(ledger), ledger.genesis.iss);
    requireRootMaySign(draft, before, kid);
    await confirmDraft(io, draft, draftView(draft, before, nameOfSite(site)), { confirm, terminal, act: 'sign' });
  } finally {
    ledger.close();
  }
}

/** A person confirms a draft: by `Yes` at the terminal, or by the digest of the payload. */
export async function confirmDraft(
  io: Io,
  draft: Draft,
  view: readonly string[],
  { confirm, terminal, act }: Omit<Review, 'kid'> & { readonly act: 'sign' | 'publish' },
): Promise<void> {
  if (confirm !== undefined) {
    if (confirm !== draft.payloadDigest)
      throw new VtlicError(
        'plan_stale',
        `the draft is not the one that was reviewed: the SHA-256 of its payload is ${draft.payloadDigest}, and ` +
          `--confirm says ${cleanText(confirm, 80)}`,
        { hint: `review it: vtlic keyset show DRAFT; then ${act} it` },
      );
    for (const line of view) io.err(line);
    return;
  }
  if (terminal === undefined)
    throw new VtlicError('usage', `there is no terminal on which to show what you ${act}`, {
      hint: 'review it: vtlic keyset show DRAFT; then give the SHA-256 of its payload: --confirm DIGEST',
    });
  const word = act === 'sign' ? 'Sign' : 'Publish';
  await askForYes(view, `${word} this? Type Yes to ${act}, anything else to decline: `, terminal);
}
