/**
 * `vtlic keyset`: what keysets say, and whether a product takes them (`inspect`, `verify`: without a site). How they
 * are made and exported is in files of their own.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { decodeCoseSign, type CoseSign } from '../../../formats/cose-sign.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { armoredBlocks, openKeysetBlock } from '../../../formats/keyset/blocks.ts';
import { decodeKeyset } from '../../../formats/keyset/decode-keyset.ts';
import type { Keyset } from '../../../formats/keyset/keyset.ts';
import { readKeysetFile, sha256Hex } from '../../../files/index.ts';
import {
  builtInChain,
  chooseKeyset,
  isKeysetExpired,
  KEYSET_REASONS,
  type Chain,
  type KeysetNotice,
} from '../../../verifier/keyset/index.ts';
import { kidOfKey } from '../../keyset/changes.ts';
import { keysetDocument, keysetRows } from '../../keyset/view.ts';
import { nowSeconds } from '../../runtime.ts';
import { formatRows, type ViewRow } from '../../summary/license-summary.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { addKeysetExport } from './keyset-export.ts';
import { addKeysetDraft } from './keyset-draft.ts';
import { addKeysetAdopt, addKeysetPublish } from './keyset-publish.ts';
import { addKeysetShow } from './keyset-show.ts';
import { addKeysetSign } from './keyset-sign.ts';

interface InspectOptions {
  readonly json?: boolean;
}

interface VerifyOptions extends InspectOptions {
  readonly builtIn: string;
  readonly issuer?: string;
  readonly requireComposite?: boolean;
}

const INSPECT_HELP = `
The command verifies nothing: anybody could have written what it shows.

Example:
  vtlic keyset inspect chain.keyset`;

const VERIFY_HELP = `
Checks the versions of FILE as a product does that was built with CHAIN. The
command trusts CHAIN as it is: take it from the product, not from the source of
FILE. Exit code 0: the newest version of FILE is accepted. 20: a version is
refused. 22: FILE is older than CHAIN.

Example:
  vtlic keyset verify new.keyset --built-in chain.keyset`;

export function defineKeyset(keyset: Command, io: Io, setExit: SetExit): void {
  addKeysetDraft(keyset, io);
  addKeysetSign(keyset, io);
  addKeysetPublish(keyset, io);
  addKeysetAdopt(keyset, io);
  addKeysetShow(keyset, io);
  addKeysetExport(keyset, io);
  keyset
    .command('inspect <file>')
    .description('shows what keysets say; verifies nothing')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', INSPECT_HELP)
    .action((name: string, options: InspectOptions) => {
      inspect(io, resolve(io.cwd, name), options);
    });
  keyset
    .command('verify <file>')
    .description('verifies keysets as a product does')
    .requiredOption('--built-in <chain>', 'the file of the keyset chain that the product has built in')
    .option('--issuer <id>', 'the vendor (default: the issuer of the built-in chain)')
    .option('--require-composite', 'judge like a product in which "composite required" is compiled in')
    .option('--json', 'the verdict as one JSON document')
    .addHelpText('after', VERIFY_HELP)
    .action((name: string, options: VerifyOptions) => {
      setExit(verify(io, resolve(io.cwd, name), options));
    });
}

interface Version {
  readonly cose: CoseSign;
  readonly keyset: Keyset;
}

/** @throws VtlicError for the first fault, naming the file */
function readVersions(path: string): readonly Version[] {
  const file = readKeysetFile(path);
  try {
    return [...armoredBlocks(file)].map((block) => {
      const cose = decodeCoseSign(openKeysetBlock(block), TYP.keyset);
      return { cose, keyset: decodeKeyset(cose.payload) };
    });
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

function inspect(io: Io, path: string, options: InspectOptions): void {
  const versions = readVersions(path);
  io.err('NOT VERIFIED: anybody could have written this. To verify it: vtlic keyset verify FILE --built-in CHAIN');
  if (options.json === true) {
    io.out(
      jsonLine({
        schema: 'vtlic-keyset-inspect/1',
        verified: false,
        versions: versions.map(({ cose, keyset }) => ({
          ...keysetDocument(keyset),
          payloadSha256: sha256Hex(cose.payload),
          signers: cose.signers.map(({ kid, alg }) => ({ kid, algorithm: alg })),
        })),
      }),
    );
    return;
  }
  for (const { cose, keyset } of versions) {
    const roots = new Set(keyset.roots.map(kidOfKey));
    const rows: ViewRow[] = [
      ...keysetRows(keyset),
      ...cose.signers.map(({ kid }): ViewRow => [
        'signed by',
        roots.has(kid) ? kid : `${kid} (not a root of this version)`,
      ]),
      ['payload', `${cose.payload.length} bytes, SHA-256 ${sha256Hex(cose.payload)}`],
    ];
    io.out(`version ${keyset.version}\n${formatRows(rows).join('\n')}\n`);
  }
}

/** @returns the exit code */
function verify(io: Io, path: string, options: VerifyOptions): number {
  const builtIn = readBuiltIn(resolve(io.cwd, options.builtIn), options);
  const { chain, source, notices } = chooseKeyset({ builtIn, file: readKeysetFile(path) });
  const notice = notices[0];
  const expired = isKeysetExpired(chain, nowSeconds(io.runtime));
  if (options.json === true)
    io.out(
      jsonLine({
        schema: 'vtlic-keyset-verify/1',
        ok: notice === undefined,
        builtInVersion: builtIn.newest.version,
        version: chain.newest.version,
        source,
        expired,
        ...(notice === undefined ? {} : noticeDocument(notice)),
        keyset: keysetDocument(chain.newest),
      }),
    );
  else {
    io.out(notice === undefined ? `accepted: version ${chain.newest.version}\n` : `refused: ${notice.reason}\n`);
    if (notice === undefined) io.out(`${formatRows(keysetRows(chain.newest)).join('\n')}\n`);
  }
  if (notice !== undefined) {
    const { sentence, remedy } = KEYSET_REASONS[notice.reason];
    io.err(`vtlic: ${cleanText(path, 4000)}: ${sentence} (${placeText(notice)}${cleanText(notice.detail, 1000)})`);
    io.err(`  → ${remedy}`);
    io.err(`a product then uses version ${chain.newest.version} (${source})`);
  } else if (expired) io.err(`warning: ${KEYSET_REASONS.keyset_expired.sentence}`);
  if (notice === undefined) return EXIT.done;
  return notice.reason === 'keyset_older' ? EXIT.rolledBack : EXIT.notValid;
}

function readBuiltIn(path: string, { issuer, requireComposite = false }: VerifyOptions): Chain {
  const stated = issuer ?? readVersions(path)[0]?.keyset.iss ?? '';
  try {
    return builtInChain(readKeysetFile(path), { issuer: stated, requireComposite });
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

function placeText({ block, version }: KeysetNotice): string {
  const parts = [block === 0 ? '' : `block ${block}`, version === undefined ? '' : `version ${version}`];
  const text = parts.filter((part) => part !== '').join(', ');
  return text === '' ? '' : `${text}: `;
}

function noticeDocument({ reason, detail, block, version, place }: KeysetNotice): Readonly<Record<string, unknown>> {
  const { layer, sentence, remedy } = KEYSET_REASONS[reason];
  return {
    layer,
    reason,
    detail,
    sentence,
    remedy,
    ...(block === 0 ? {} : { block }),
    ...(version === undefined ? {} : { refusedVersion: version }),
    ...place,
  };
}
