/** `vtlic init DIR --issuer ID` */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { isId } from '../../../formats/license/id.ts';
import { createSite, defaultAnchorFile } from '../../site/create-site.ts';
import type { KeystoreConfig } from '../../site/keystore-config.ts';
import type { Io } from '../io.ts';
import { jsonText } from '../json-text.ts';
import { invalid } from './common.ts';

interface InitOptions {
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

export function addInit(program: Command, io: Io): void {
  program
    .command('init <dir>')
    .description('makes a site: the folder with the catalog, the keys and the ledger')
    .requiredOption('--issuer <id>', 'who issues: the iss of every license; never renamed')
    .option('--anchor <file>', "where the ledger's head is kept besides the ledger, best on another disk (default: DIR.anchor)")
    .option('--keystore <name=where>', 'where keys live: NAME=file:PATH or NAME=pkcs11:URI (repeatable; default: local=file:keys)', (value: string, all: KeystoreConfig[]) => [...all, parseKeystore(value)], [] as KeystoreConfig[])
    .option('--example-catalog', 'a catalog with one product to try things out with')
    .option('--json', 'the result as one JSON document')
    .action(async (dir: string, options: InitOptions) => {
      const folder = resolve(io.cwd, dir);
      const anchorFile = options.anchor === undefined ? defaultAnchorFile(folder) : resolve(io.cwd, options.anchor);
      const keystores: readonly KeystoreConfig[] = options.keystore.length === 0 ? [{ type: 'file', name: 'local', path: 'keys' }] : options.keystore;
      const paths = await createSite({ folder, issuer: options.issuer, anchorFile, keystores, exampleCatalog: options.exampleCatalog ?? false }, io.world);
      io.err(`made the site ${cleanText(folder, 1000)}`);
      io.err(`  ledger:  ${cleanText(paths.ledger, 1000)}`);
      io.err(`  anchor:  ${cleanText(anchorFile, 1000)} (keep it out of backups of the site: it is what notices a restored ledger)`);
      if (options.exampleCatalog !== true) io.err(`next: say what you sell in ${cleanText(paths.catalog, 1000)}`);
      io.err(`next: vtlic key generate --site ${cleanText(dir, 1000)} --name license-1`);
      io.out(options.json === true ? `${jsonText({ schema: 'vtlic-init/1', site: folder, ledger: paths.ledger, anchor: anchorFile })}\n` : `${cleanText(folder, 4000)}\n`);
    });
}
