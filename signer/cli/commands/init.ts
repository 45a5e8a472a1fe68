/** `vtlic init DIR --issuer ID` */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { parsePkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';
import { isId } from '../../../formats/license/id.ts';
import { createSite, defaultAnchorFile, type NewSite } from '../../site/create-site.ts';
import type { KeystoreConfig, SitePaths } from '../../site/site.ts';
import { anchorOpener } from '../../keys/ledger-opening.ts';
import { type AnchorPlace, anchorPlaceText } from '../../anchor/index.ts';
import type { Io } from '../io.ts';
import { shellQuote } from '../output.ts';
import { parseAnchorOption, invalid, secretOption, type SecretOptions } from '../options.ts';
import { CommandAccess } from '../key-access.ts';

interface InitOptions extends SecretOptions {
  readonly issuer: string;
  readonly anchor?: string;
  readonly keystore: readonly KeystoreConfig[];
  readonly exampleCatalog?: boolean;
  readonly json?: boolean;
}

/** `NAME=file:PATH` or `NAME=pkcs11:…` */
function parseKeystore(text: string): KeystoreConfig {
  const match = /^([^=]+)=(file|pkcs11):(.+)$/s.exec(text);
  const [name, type, rest] = [match?.[1] ?? '', match?.[2], match?.[3] ?? ''];
  if (!isId(name) || type === undefined) throw invalid('expected NAME=file:PATH or NAME=pkcs11:URI');
  return type === 'file' ? { type: 'file', name, path: rest } : { type: 'pkcs11', name, uri: `pkcs11:${rest}` };
}

const HELP = `
--anchor token:KEYSTORE keeps the anchor in the token of a keystore (--keystore KEYSTORE=pkcs11:URI), as a private data
object: it does not roll back with any disk. Every run that signs or releases then logs in to that token. The object is
named after the issuer; token:KEYSTORE/LABEL gives it another name, for a second ledger in one token.`;

export function defineInit(command: Command, io: Io): void {
  command
    .requiredOption('--issuer <id>', 'who issues: the iss of every license; never renamed')
    .option(
      '--anchor <place>',
      "where the ledger's head is kept besides the ledger: a file, best on another disk, or token:KEYSTORE " +
        '(default: the file DIR.anchor)',
    )
    .option(
      '--keystore <name=where>',
      'where keys live: NAME=file:PATH or NAME=pkcs11:URI (repeatable; default: local=file:keys)',
      (value: string, all: KeystoreConfig[]) => [...all, parseKeystore(value)],
      [] as KeystoreConfig[],
    )
    .option('--example-catalog', 'a catalog with one product to try things out with')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  secretOption(command).action(async (dir: string, options: InitOptions) => {
    const folder = resolve(io.cwd, dir);
    const anchor: AnchorPlace =
      options.anchor === undefined
        ? { kind: 'file', path: defaultAnchorFile(folder) }
        : parseAnchorOption('--anchor', options.anchor, io.cwd, options.issuer);
    const keystores: readonly KeystoreConfig[] =
      options.keystore.length === 0 ? [{ type: 'file', name: 'local', path: 'keys' }] : options.keystore;
    const paths = await create(
      io,
      { folder, issuer: options.issuer, anchor, keystores, exampleCatalog: options.exampleCatalog ?? false },
      options,
    );
    io.err(`made the site ${cleanText(folder, 1000)}`);
    io.err(`  ledger:  ${cleanText(paths.ledger, 1000)}`);
    const advice =
      anchor.kind === 'file'
        ? 'keep it out of backups of the site: it is what notices a restored ledger'
        : 'every run that signs or releases logs in to that token';
    io.err(`  anchor:  ${cleanText(anchorPlaceText(anchor), 1000)} (${advice})`);
    if (options.exampleCatalog !== true) io.err(`next: say what you sell in ${cleanText(paths.catalog, 1000)}`);
    io.err(`next: vtlic key generate --site ${cleanText(shellQuote(dir), 1000)} --name license-1`);
    io.out(
      options.json === true
        ? jsonLine({ schema: 'vtlic-init/1', site: folder, ledger: paths.ledger, anchor: anchorPlaceText(anchor) })
        : `${cleanText(folder, 4000)}\n`,
    );
  });
}

/** The one login of an init, for an anchor in a token. */
async function create(io: Io, wanted: NewSite, options: SecretOptions): Promise<SitePaths> {
  const { anchor } = wanted;
  const keystores = new Map(wanted.keystores.map((store) => [store.name, store]));
  const store = anchor.kind === 'token' ? keystores.get(anchor.keystore) : undefined;
  if (anchor.kind === 'token' && store?.type !== 'pkcs11') {
    throw new VtlicError(
      'usage',
      `--anchor names the token of keystore ${anchor.keystore}, and no --keystore names such a token`,
      { hint: `add --keystore ${anchor.keystore}=pkcs11:URI; see: vtlic hsm list` },
    );
  }
  await using access = new CommandAccess(io, options, anchor.kind === 'token');
  const { secrets, tokens } = access;
  const taken = store?.type === 'pkcs11' && parsePkcs11Uri(store.uri).pinSourceFile === undefined ? [store.name] : [];
  secrets.assertFor(taken, []);
  return await createSite(wanted, io.runtime, anchorOpener({ site: { config: { keystores } }, secrets, tokens }));
}
