/** `vtlic keyset show`: the keyset that is published here, a draft, or the chain for products. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { formatInstant } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { createDurably } from '../../../files/index.ts';
import { readDraft } from '../../keyset/draft.ts';
import { publishedChainFile, publishedVersions, type PublishedVersion } from '../../keyset/published.ts';
import { versionBefore } from '../../keyset/sign-draft.ts';
import { keysetDocument, keysetRows } from '../../keyset/view.ts';
import { draftView } from '../drafting.ts';
import { nameOfSite } from '../named-keys.ts';
import { withLedger } from '../input-files.ts';
import type { Io } from '../io.ts';
import { formatTable } from '../output.ts';
import { newFilePath, siteOption, type SiteOptions } from '../options.ts';

interface ShowOptions extends SiteOptions {
  readonly chain?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

const HELP = `
With DRAFT, it shows what the draft changes, and the SHA-256 of its payload, by
which people who sign it confirm it.

Examples:
  vtlic keyset show
  vtlic keyset show 2.draft
  vtlic keyset show --chain --out chain.keyset`;

export function addKeysetShow(parent: Command, io: Io): void {
  const command = parent
    .command('show [draft]')
    .description('shows the published keyset, or a draft')
    .option('--chain', 'write every published version, as products take them')
    .option('--out <file>', 'with --chain: into a new file (default: standard output)')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  siteOption(command).action((draft: string | undefined, options: ShowOptions) =>
    withLedger(io, options, undefined, async (ledger, site) => {
      if (site === undefined) throw new VtlicError('internal', 'keysets are shown of a site');
      const versions = publishedVersions(ledger);
      const nameOf = nameOfSite(site);
      if (draft !== undefined) {
        const read = readDraft(resolve(io.cwd, draft));
        const before = versionBefore(read, versions, ledger.genesis.iss);
        const rows = keysetRows(read.keyset, nameOf);
        io.out(
          options.json === true
            ? jsonLine({
                schema: 'vtlic-keyset-draft-shown/1',
                ...keysetDocument(read.keyset),
                payloadSha256: read.payloadDigest,
                early: read.early,
                emergency: read.emergency ?? null,
              })
            : `${draftView(read, before, nameOf).join('\n')}\n\n${formatTable(rows).join('\n')}\n`,
        );
        return;
      }
      const newest = versions.at(-1);
      if (newest === undefined)
        throw new VtlicError('usage', 'no keyset is published at this site yet', {
          hint: 'make the first one: vtlic keyset draft; or adopt a published chain: vtlic keyset adopt CHAIN',
        });
      if (options.chain === true) await writeChain(io, publishedChainFile(versions, ledger.genesis.iss), options);
      else if (options.json === true) io.out(jsonLine(document(versions)));
      else
        io.out(
          `version ${newest.version}, published ${formatInstant(newest.published)}\n` +
            `${formatTable([...keysetRows(newest.keyset, nameOf), ...reasonRows(newest)]).join('\n')}\n`,
        );
    }),
  );
}

function reasonRows({ payloadDigest, reasons }: PublishedVersion): readonly (readonly [string, string])[] {
  return [
    ['payload', `SHA-256 ${payloadDigest}`],
    ...reasons.map((reason) => ['reason', cleanText(reason, 1000)] as const),
  ];
}

function document(versions: readonly PublishedVersion[]): unknown {
  return {
    schema: 'vtlic-keyset-show/1',
    versions: versions.map(({ keyset, payloadDigest, published, reasons }) => ({
      ...keysetDocument(keyset),
      payloadSha256: payloadDigest,
      published,
      reasons,
    })),
  };
}

async function writeChain(io: Io, bytes: Uint8Array | undefined, options: ShowOptions): Promise<void> {
  if (bytes === undefined) throw new VtlicError('internal', 'no version is published');
  if (options.out === undefined) {
    io.out(bytes);
    return;
  }
  const path = newFilePath(io, options.out);
  await createDurably(path, bytes, 0o644, { folderExists: true });
  io.err(`wrote ${cleanText(path, 1000)}`);
}
