/** `vtlic key generate | adopt | list | show | export | check | default | retire | remove` */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { type Algorithm, isAlgorithm } from '../../../formats/cose-algorithm.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { formatColumns } from '../output.ts';
import { fromHex } from '../../../formats/bytes.ts';
import { isKeyPurpose, type KeyPurpose } from '../../../keys/public/key-purpose.ts';
import {
  exportPublicKey,
  PUBLIC_KEY_FORMS,
  type PublicKeyForm,
} from '../../../keys/public/encodings/public-key-file.ts';
import { VtlicError } from '../../../formats/error.ts';
import { createDurably } from '../../../files/index.ts';
import { adoptKey, type KeyToAdopt } from '../../keys/adopt-key.ts';
import { generateKey, type NewKey } from '../../keys/generate-key.ts';
import { keyFiles } from '../../keys/file-keystore.ts';
import { keystoreOf } from '../../keys/keystores.ts';
import { openKey } from '../../keys/open-key.ts';
import { formatRows } from '../../summary/license-summary.ts';
import { type KeyRecord, findSiteKey, type Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import {
  invalid,
  newFilePath,
  openNamedSite,
  secretOption,
  type SecretOptions,
  siteOption,
  type SiteOptions,
  oneOf,
} from '../options.ts';
import { addKeyChanges } from './key-change.ts';
import { CommandAccess, ledgerIdOf, withAccess } from '../key-access.ts';

interface JsonOption {
  readonly json?: boolean;
}

interface NewKeyOptions extends SiteOptions, SecretOptions, JsonOption {
  readonly name: string;
  readonly algorithm?: Algorithm;
  readonly purpose: KeyPurpose;
  readonly keystore?: string;
  readonly mlDsaKeystore?: string;
  readonly default?: boolean;
}

interface GenerateOptions extends NewKeyOptions {
  readonly wrapped?: boolean;
}

interface AdoptOptions extends NewKeyOptions {
  readonly id?: Uint8Array;
  readonly label?: string;
}

interface ExportOptions extends SiteOptions {
  readonly form: PublicKeyForm;
  readonly out?: string;
}

export function defineKey(key: Command, io: Io): void {
  addGenerate(key, io);
  addAdopt(key, io);
  addList(key, io);
  addShow(key, io);
  addExport(key, io);
  addCheck(key, io);
  addKeyChanges(key, io);
}

function recordDocument(record: KeyRecord): Readonly<Record<string, string>> {
  return {
    name: record.name,
    purpose: record.purpose,
    algorithm: record.algorithm,
    kid: record.publicKey.kid,
    keystore: record.keystore,
    custody: record.custody,
    made: record.made,
    ...(record.retired === undefined ? {} : { retired: record.retired }),
  };
}

/** What this toolkit signs today. A key for anything else would be one that no command can use. */
const USABLE_PURPOSES: readonly KeyPurpose[] = ['license', 'root', 'ledger', 'counters'];

function usablePurpose(text: string): KeyPurpose {
  const usable = `a key can be made for: ${USABLE_PURPOSES.join(', ')}`;
  if (!isKeyPurpose(text)) throw invalid(usable);
  if (!USABLE_PURPOSES.includes(text)) throw invalid(`no command uses a key for "${text}" yet; ${usable}`);
  return text;
}

/** The options that `key generate` and `key adopt` share. */
function signingOptions(command: Command, defaultAlgorithm: string): Command {
  return command
    .option(
      '--algorithm <algorithm>',
      `ed25519 or ed25519+ml-dsa-65 (default: ${defaultAlgorithm})`,
      oneOf(isAlgorithm, ['ed25519', 'ed25519+ml-dsa-65']),
    )
    .option('--purpose <purpose>', `what it signs: ${USABLE_PURPOSES.join(', ')}`, usablePurpose, 'license');
}

/** The keystores of a new key: for split custody, that of the ML-DSA component comes second. */
function keystoresOf(site: Site, options: NewKeyOptions): readonly [string, ...string[]] {
  const keystore = options.keystore ?? onlyKeystore(site);
  return options.mlDsaKeystore === undefined ? [keystore] : [keystore, options.mlDsaKeystore];
}

function addGenerate(key: Command, io: Io): void {
  const generate = key
    .command('generate')
    .description('makes a key in a keystore of the site')
    .requiredOption('--name <name>', 'the name of the key in this site');
  const command = signingOptions(generate, 'the composite; ed25519 for the purpose ledger')
    .option('--keystore <name>', 'the keystore that keeps it (default: the only one of the site)')
    .option('--ml-dsa-keystore <name>', 'split custody: the token that keeps the ML-DSA component')
    .option(
      '--wrapped',
      'custody hsm-wrapped: for a token without ML-DSA, the ML-DSA seed is encrypted under a key of the token',
    )
    .option('--default', 'sign licenses with it from now on')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action(async (options: GenerateOptions) => {
    const algorithm = options.algorithm ?? (options.purpose === 'ledger' ? 'ed25519' : 'ed25519+ml-dsa-65');
    checkPurpose(options.purpose, algorithm);
    const site = openNamedSite(io, options);
    const keystores = keystoresOf(site, options);
    await using access = new CommandAccess(io, options);
    access.assertSecrets(site, keystores);
    const wanted: NewKey = {
      name: options.name,
      algorithm,
      purpose: options.purpose,
      keystore: keystores[0],
      wrapped: options.wrapped ?? false,
      makeDefault: options.default ?? false,
      ...(options.mlDsaKeystore === undefined ? {} : { mldsaKeystore: options.mlDsaKeystore }),
    };
    const record = await generateKey(site.paths.folder, wanted, access.secrets, ledgerIdOf(site), io.runtime);
    io.err(
      `made the key ${record.name}: ${record.algorithm}, purpose ${record.purpose}, custody ${record.custody}, ` +
        `in keystore ${record.keystore}`,
    );
    if (record.custody === 'software') sayBackup(io, site, record);
    io.out(
      options.json === true
        ? jsonLine({ schema: 'vtlic-key/1', ...recordDocument(record) })
        : `${record.publicKey.kid}\n`,
    );
  });
}

function sayBackup(io: Io, site: Site, record: KeyRecord): void {
  const store = keystoreOf(site, record.keystore);
  if (store.type !== 'file') return;
  const { key, claim } = keyFiles(site.paths, store, record.name);
  io.err('back up these two files, and keep the passphrase elsewhere:');
  for (const file of [key, claim]) io.err(`  ${cleanText(file, 1000)}`);
  io.err('if the key file or its passphrase is lost, nobody can sign with this key again');
}

/** @throws VtlicError `usage` for a key that no tool could verify checkpoints with */
function checkPurpose(purpose: KeyPurpose, algorithm: Algorithm | undefined): void {
  if (purpose === 'ledger' && algorithm !== 'ed25519')
    throw new VtlicError(
      'usage',
      `a key for checkpoints of the ledger is Ed25519, not ${algorithm ?? 'whatever is found'}`,
      { hint: 'add --algorithm ed25519: every tool that reads checkpoints knows it' },
    );
}

const ADOPT_HELP = `
Use it if another person, or the maker's tool, makes the keys in the token. The
private key must be sensitive, not extractable, and only for signing. The
command makes a test signature with it, and marks it as a key of this site.

Examples:
  vtlic hsm keys hsm
  vtlic key adopt --name license-1 --keystore hsm --id 6c6963
  vtlic key adopt --name license-1 --keystore hsm --label license-1`;

function parseHex(text: string): Uint8Array {
  const bytes = fromHex(text.toLowerCase());
  if (bytes === undefined || bytes.length === 0) throw invalid('expected hex digits, two for each byte');
  return bytes;
}

function addAdopt(key: Command, io: Io): void {
  const adopt = key
    .command('adopt')
    .description('registers a key that a token contains already')
    .requiredOption('--name <name>', 'the name of the key in this site')
    .option('--id <hex>', 'the key with this id (CKA_ID)', parseHex)
    .option('--label <label>', 'the key with this label (CKA_LABEL)');
  const command = signingOptions(adopt, 'what is found')
    .option('--keystore <name>', 'the token that it is in (default: the only keystore of the site)')
    .option('--ml-dsa-keystore <name>', 'split custody: the token that its ML-DSA component is in')
    .option('--default', 'sign licenses with it from now on')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', ADOPT_HELP);
  secretOption(siteOption(command)).action(async (options: AdoptOptions) => {
    if (options.id === undefined && options.label === undefined)
      throw new VtlicError('usage', 'key adopt needs --id or --label, or both: which key of the token is meant', {
        hint: 'see what is there: vtlic hsm keys KEYSTORE',
      });
    checkPurpose(options.purpose, options.algorithm);
    const site = openNamedSite(io, options);
    const keystores = keystoresOf(site, options);
    await using access = new CommandAccess(io, options);
    access.assertSecrets(site, keystores);
    const wanted: KeyToAdopt = {
      name: options.name,
      purpose: options.purpose,
      keystore: keystores[0],
      makeDefault: options.default ?? false,
      ...(options.mlDsaKeystore === undefined ? {} : { mldsaKeystore: options.mlDsaKeystore }),
      ...(options.id === undefined ? {} : { id: options.id }),
      ...(options.label === undefined ? {} : { label: options.label }),
      ...(options.algorithm === undefined ? {} : { algorithm: options.algorithm }),
    };
    const record = await adoptKey(site.paths.folder, wanted, access.secrets, ledgerIdOf(site), io.runtime);
    io.err(
      `adopted the key ${record.name}: ${record.algorithm}, purpose ${record.purpose}, custody ${record.custody}, ` +
        `in keystore ${record.keystore}`,
    );
    io.out(
      options.json === true
        ? jsonLine({ schema: 'vtlic-key/1', ...recordDocument(record) })
        : `${record.publicKey.kid}\n`,
    );
  });
}

function onlyKeystore(site: Site): string {
  const names = [...site.config.keystores.keys()];
  const [first] = names;
  if (names.length === 1 && first !== undefined) return first;
  throw new VtlicError('usage', `this site has ${names.length} keystores: say which with --keystore`, {
    hint: `there are: ${names.join(', ') || 'none'}`,
  });
}

function addList(key: Command, io: Io): void {
  siteOption(
    key.command('list').description('lists the keys of the site').option('--json', 'the result as one JSON document'),
  ).action((options: SiteOptions & JsonOption) => {
    const site = openNamedSite(io, options);
    if (options.json === true) {
      io.out(
        jsonLine({
          schema: 'vtlic-keys/1',
          defaultKey: site.config.defaultKey ?? null,
          keys: site.config.keys.map(recordDocument),
        }),
      );
      return;
    }
    if (site.config.keys.length === 0)
      io.err(`this site has no keys yet; make one with: ${io.name} key generate --name NAME`);
    else
      for (const line of formatColumns(
        ['name', 'purpose', 'algorithm', 'custody', 'keystore', 'state', 'key id'],
        site.config.keys.map((record) => [
          record.name,
          record.purpose,
          record.algorithm,
          record.custody,
          record.keystore,
          record.retired === undefined ? (record.name === site.config.defaultKey ? 'default' : '') : 'retired',
          record.publicKey.kid,
        ]),
      ))
        io.out(`${line}\n`);
  });
}

function addShow(key: Command, io: Io): void {
  siteOption(
    key
      .command('show <name>')
      .description('shows a key of the site')
      .option('--json', 'the result as one JSON document'),
  ).action((name: string, options: SiteOptions & JsonOption) => {
    const record = findSiteKey(openNamedSite(io, options), name);
    const document = recordDocument(record);
    if (options.json === true) {
      io.out(jsonLine({ schema: 'vtlic-key/1', ...document }));
      return;
    }
    const rows = Object.entries(document).map(([label, value]) => [label, cleanText(value)] as const);
    io.out(`${formatRows(rows).join('\n')}\n`);
  });
}

function addExport(key: Command, io: Io): void {
  const isForm = (text: string): text is PublicKeyForm => PUBLIC_KEY_FORMS.some((form) => form === text);
  const command = key
    .command('export <name>')
    .description('writes the public key, for products and verifiers')
    .option('--form <form>', PUBLIC_KEY_FORMS.join(', '), oneOf(isForm, PUBLIC_KEY_FORMS), 'pem')
    .option('--out <file>', 'write it to this new file (default: standard output)');
  siteOption(command).action(async (name: string, options: ExportOptions & SiteOptions) => {
    const record = findSiteKey(openNamedSite(io, options), name);
    const bytes = exportPublicKey(record.publicKey, options.form);
    if (options.out === undefined) {
      io.out(bytes);
      return;
    }
    const path = newFilePath(io, options.out);
    await createDurably(path, bytes, 0o644, { folderExists: true });
    io.err(`wrote ${cleanText(path, 1000)}`);
  });
}

function addCheck(key: Command, io: Io): void {
  const command = key
    .command('check <name>')
    .description('opens a key, signs a test message, and verifies the signature twice')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action(async (name: string, options: SiteOptions & SecretOptions & JsonOption) => {
    const site = openNamedSite(io, options);
    const record = findSiteKey(site, name);
    await withAccess(io, site, options, { key: record, anchors: [] }, async (access) => {
      const opened = await openKey(access, record, ledgerIdOf(site));
      await opened.close();
      io.err(`the key ${record.name} opens, signs, and its signature verifies with node:crypto and with noble`);
      io.out(
        options.json === true
          ? jsonLine({ schema: 'vtlic-key-check/1', name: record.name, kid: record.publicKey.kid, ok: true })
          : `ok ${record.publicKey.kid}\n`,
      );
    });
  });
}
