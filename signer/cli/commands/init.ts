/** `vtlic init DIR --issuer ID` */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { parsePkcs11Uri, type Pkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';
import { isId } from '../../../formats/license/id.ts';
import { createSite, defaultAnchorFile, type NewSite } from '../../site/create-site.ts';
import type { KeystoreConfig, SitePaths } from '../../site/site.ts';
import { ignoredAttributes } from '../../keys/keystores.ts';
import { anchorOpener } from '../../keys/ledger-opening.ts';
import { type AnchorPlace, anchorPlaceText } from '../../anchor/index.ts';
import type { Io } from '../io.ts';
import { shellQuote } from '../command-name.ts';
import { collect, parseAnchorOption, parseVariables, secretOption, type SecretOptions } from '../options.ts';
import { CommandAccess } from '../key-access.ts';

interface InitOptions extends SecretOptions {
  readonly issuer: string;
  readonly anchor?: string;
  readonly keystore: readonly KeystoreConfig[];
  readonly keystoreEnv: readonly string[];
  readonly exampleCatalog?: boolean;
  readonly json?: boolean;
}

/**
 * `NAME=file:PATH` or `NAME=pkcs11:…`
 *
 * The option may contain a PIN, so no message repeats it; an error of Commander's would repeat it, so none is thrown.
 */
function parseKeystore(text: string): KeystoreConfig {
  const match = /^([^=]+)=(file|pkcs11):(.+)$/is.exec(text);
  const [name, type, rest] = [match?.[1] ?? '', match?.[2]?.toLowerCase(), match?.[3] ?? ''];
  if (!isId(name) || type === undefined)
    throw new VtlicError('usage', '--keystore takes NAME=file:PATH or NAME=pkcs11:URI, where NAME is an id', {
      hint: "for example: --keystore 'hsm=pkcs11:token=NAME?module-path=/usr/lib/softhsm/libsofthsm2.so'",
    });
  if (type === 'file') return { type, name, path: rest };
  const uri = `pkcs11:${rest}`;
  checkUri(name, parsePkcs11Uri(uri, 'usage'));
  return { type: 'pkcs11', name, uri };
}

/** @throws VtlicError `usage` for a variable of a keystore that is not a token */
function withVariables(stores: readonly KeystoreConfig[], options: readonly string[]): readonly KeystoreConfig[] {
  const of = new Map<string, string[]>();
  for (const option of options) {
    const [name = '', ...rest] = option.split(':');
    if (rest.length === 0 || !stores.some((store) => store.name === name && store.type === 'pkcs11'))
      throw new VtlicError('usage', '--keystore-env takes KEYSTORE:NAME or KEYSTORE:NAME=VALUE', {
        hint: 'name a keystore that --keystore makes, as NAME=pkcs11:URI',
      });
    of.set(name, [...(of.get(name) ?? []), rest.join(':')]);
  }
  return stores.map((store) => {
    const declared = of.get(store.name);
    if (store.type === 'file' || declared === undefined) return store;
    return { ...store, environment: parseVariables('--keystore-env', declared) };
  });
}

/** @throws VtlicError `usage` for a URI that can match no token */
function checkUri(keystore: string, { unknown: [unknown], modulePath, moduleName }: Pkcs11Uri): void {
  if (unknown !== undefined)
    throw new VtlicError(
      'usage',
      `the PKCS#11 URI of the keystore ${keystore} has the attribute ${cleanText(unknown.name, 40)}, which is not ` +
        'one of RFC 7512, and so matches no token',
      { field: '--keystore', hint: 'see the URI of each token: vtlic hsm list' },
    );
  if (modulePath === undefined && moduleName === undefined)
    throw new VtlicError('usage', `the PKCS#11 URI of the keystore ${keystore} names no module`, {
      field: '--keystore',
      hint: "add ?module-path=/PATH of the token's PKCS#11 module; see the URI of each token: vtlic hsm list",
    });
}

const HELP = `
The anchor is a small file by which the ledger notices that an old copy of it
was put back. Keep it on another disk, and out of backups of the site.
--anchor token:KEYSTORE keeps it in a token instead (a private data object),
where no old copy can come back. Every command that signs or releases then logs
in to that token. token:KEYSTORE/LABEL gives the object a name of its own, for a
second ledger in the same token.`;

export function defineInit(command: Command, io: Io): void {
  command
    .requiredOption('--issuer <id>', 'the id of the vendor, which is in every license and never changes')
    .option(
      '--anchor <place>',
      'where the anchor is kept: a file, best on another disk, or token:KEYSTORE (default: the file DIR.anchor)',
    )
    .option(
      '--keystore <name=where>',
      'where keys are kept: NAME=file:PATH or NAME=pkcs11:URI (repeatable; default: local=file:keys)',
      (value: string, all: KeystoreConfig[]) => [...all, parseKeystore(value)],
      [] as KeystoreConfig[],
    )
    .option(
      '--keystore-env <keystore:variable>',
      'a variable of the environment that the PKCS#11 module of a keystore needs: ' +
        'KEYSTORE:NAME, or KEYSTORE:NAME=VALUE (repeatable)',
      collect,
      [] as string[],
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
      options.keystore.length === 0
        ? [{ type: 'file', name: 'local', path: 'keys' }]
        : withVariables(options.keystore, options.keystoreEnv);
    for (const store of keystores)
      if (store.type === 'pkcs11') for (const line of ignoredAttributes(store)) io.err(line);
    const paths = await create(
      io,
      { folder, issuer: options.issuer, anchor, keystores, exampleCatalog: options.exampleCatalog ?? false },
      options,
    );
    io.err(`made the site ${cleanText(folder, 1000)}`);
    io.err(`  ledger:  ${cleanText(paths.ledger, 1000)}`);
    const advice =
      anchor.kind === 'file'
        ? 'keep it out of backups of the site: it reveals an old copy of the ledger'
        : 'every run that signs or releases logs in to that token';
    io.err(`  anchor:  ${cleanText(anchorPlaceText(anchor), 1000)} (${advice})`);
    if (options.exampleCatalog !== true) io.err(`next: say what you sell in ${cleanText(paths.catalog, 1000)}`);
    io.err(`next: ${io.name} key generate --site ${cleanText(shellQuote(dir), 1000)} --name license-1`);
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
