/** `vtlic hsm list | keys | doctor`: which tokens there are, what is in one, and whether it is fit to sign. */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import {
  type Check,
  COMPONENT_WORDS,
  describeToken,
  type ListedModule,
  listModule,
  nameOneToken,
  removalCommand,
  resolveModule,
} from '../../../keys/private/pkcs11/client/index.ts';
import { parsePkcs11Uri, type Pkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';
import { isUntried } from '../../../keys/private/pkcs11/shared/profiles.ts';
import { diagnose, knownModules } from '../../hsm/diagnose.ts';
import { type ListedKey, listTokenContents, type TokenContents } from '../../hsm/list-keys.ts';
import { keystoresUsed, secretsTaken, tokenKeystoreOf } from '../../keys/keystores.ts';
import { openLedgerForReading } from '../../ledger/index.ts';
import { type KeyRecord, type TokenKeystore, openSite, type Site } from '../../site/site.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { CommandAccess, ledgerIdOf } from '../key-access.ts';
import { collect, secretOption, siteFolder, siteOption, type SecretOptions, type SiteOptions } from '../options.ts';

interface ListOptions extends SiteOptions {
  readonly module: readonly string[];
  readonly json?: boolean;
}

interface DoctorOptions extends SiteOptions, SecretOptions {
  readonly json?: boolean;
}

/** The keystore's name where a bare URI is examined: `--secret token=file:PATH`. */
const BARE_NAME = 'token';

export function defineHsm(hsm: Command, io: Io, setExit: SetExit): void {
  siteOption(
    hsm
      .command('list')
      .description('lists PKCS#11 modules and their tokens; no PIN is asked for')
      .option(
        '--module <path>',
        "a module to look at (repeatable; default: the site's and the well-known ones)",
        collect,
        [] as string[],
      )
      .option('--json', 'the result as one JSON document'),
  ).action((options: ListOptions) => list(io, options, setExit));
  secretOption(
    siteOption(
      hsm
        .command('keys <token>')
        .description('lists the keys in a token, named by a keystore of the site or a pkcs11: URI')
        .option('--json', 'the result as one JSON document'),
    ),
  ).action((token: string, options: DoctorOptions) => listKeys(io, token, options));
  secretOption(
    siteOption(
      hsm
        .command('doctor <token>')
        .description(
          'examines a token, named by a keystore of the site or a pkcs11: URI; exit code 0 if all that is ' +
            'needed passes',
        )
        .option('--json', 'the result as one JSON document'),
    ),
  ).action((token: string, options: DoctorOptions) => doctor(io, token, options, setExit));
}

/** The site, where there is one: both commands work without. */
function siteIfAny(io: Io, options: SiteOptions): Site | undefined {
  try {
    return openSite(siteFolder(io, options));
  } catch (error) {
    if (
      options.site === undefined &&
      error instanceof VtlicError &&
      error.code === 'configuration_invalid' &&
      error.place.line === undefined
    )
      return undefined;
    throw error;
  }
}

function modulesToList(io: Io, options: ListOptions): readonly string[] {
  if (options.module.length > 0) return options.module.map((path) => resolve(io.cwd, path));
  const ofSite = [...(siteIfAny(io, options)?.config.keystores.values() ?? [])].flatMap((store) =>
    store.type === 'pkcs11' ? [resolveModule(parsePkcs11Uri(store.uri))] : [],
  );
  return [...new Set([...ofSite, ...knownModules()])];
}

async function list(io: Io, options: ListOptions, setExit: SetExit): Promise<void> {
  const paths = modulesToList(io, options);
  if (paths.length === 0)
    throw new VtlicError('module_unusable', 'no PKCS#11 module was found in the well-known places', {
      hint: 'name one with --module PATH',
    });
  const modules: ListedModule[] = [];
  const faults: VtlicError[] = [];
  for (const path of paths) {
    try {
      modules.push(await listModule(path));
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      faults.push(error);
      io.err(`vtlic: ${cleanText(error.message, 2000)}`);
      if (error.hint !== undefined) io.err(`  → ${cleanText(error.hint, 2000)}`);
    }
  }
  const [first] = faults;
  if (first !== undefined && (modules.length === 0 || options.module.length > 0)) setExit(exitCodeOf(first.code));
  io.out(
    options.json === true
      ? jsonLine({
          schema: 'vtlic-hsm-list/1',
          modules: modules.map(moduleDocument),
          faults: faults.map(({ code, message }) => ({ code, message })),
        })
      : modules.map(moduleText).join(''),
  );
}

function moduleText({ path, module, tokens, unreadable }: ListedModule): string {
  const lines = [
    `${cleanText(path, 1000)}: ${cleanText(module.description)} ${cleanText(module.libraryVersion)} ` +
      `(${cleanText(module.manufacturer)}), PKCS#11 ${cleanText(module.cryptokiVersion)}`,
  ];
  if (tokens.length === 0) lines.push('  no token');
  for (const { token, state, profile, uri } of tokens) {
    lines.push(
      `  "${cleanText(token.label)}"  serial ${cleanText(token.serial) || 'none'}  ` +
        `${cleanText(token.manufacturer)} ${cleanText(token.model)}  ` +
        (state.length === 0 ? 'ready' : state.join(', ')),
    );
    lines.push(`      ${profile.name}${isUntried(profile) ? ' (never tried with this toolkit)' : ''}`);
    if (uri !== undefined) lines.push(`      ${uri}`);
  }
  for (const { slotDescription, fault } of unreadable)
    lines.push(`  ${cleanText(slotDescription)}: ${cleanText(fault)}`);
  return `${lines.join('\n')}\n`;
}

/** The stable form of `--json`: names and words, no numbers of this process. */
function moduleDocument({ path, module, tokens, unreadable }: ListedModule): Readonly<Record<string, unknown>> {
  return {
    path,
    ...module,
    tokens: tokens.map(({ token, state, profile, uri }) => ({
      ...token,
      state,
      profile: profile.id,
      tested: profile.tested,
      uri: uri ?? null,
    })),
    unreadable,
  };
}

/** The keystores of the site that lie in the token of a bare URI. */
function keystoresOf(site: Site, uri: Pkcs11Uri): readonly string[] {
  return [...site.config.keystores.values()].flatMap((store) =>
    store.type === 'pkcs11' && nameOneToken(uri, parsePkcs11Uri(store.uri)) ? [store.name] : [],
  );
}

/** What a command that takes a keystore's name or a bare URI works on. */
interface NamedToken {
  readonly store: TokenKeystore;
  readonly site: Site | undefined;
  /** Keys of the site in this token. */
  readonly keys: readonly KeyRecord[];
  /** The site's keystores that are this token. */
  readonly stores: readonly string[];
}

function namedToken(io: Io, command: string, token: string, options: DoctorOptions): NamedToken {
  const bare = token.toLowerCase().startsWith('pkcs11:');
  const site = siteIfAny(io, options);
  if (!bare && site === undefined)
    throw new VtlicError('usage', `hsm ${command} takes a pkcs11: URI, or the name of a keystore of a site`, {
      hint: `name the site: vtlic hsm ${command} KEYSTORE --site DIR`,
    });
  const store: TokenKeystore =
    bare || site === undefined ? { type: 'pkcs11', name: BARE_NAME, uri: token } : tokenKeystoreOf(site, token);
  const uri = parsePkcs11Uri(store.uri, bare ? 'usage' : 'configuration_invalid');
  const stores = site === undefined ? [] : bare ? keystoresOf(site, uri) : [store.name];
  const keys = site?.config.keys.filter((key) => keystoresUsed(key).some((name) => stores.includes(name))) ?? [];
  return { store, site, keys, stores };
}

function assertSecret({ secrets }: CommandAccess, { store, site }: NamedToken): void {
  const takes = parsePkcs11Uri(store.uri).pinSourceFile === undefined;
  const isOfSite = site !== undefined && store.name !== BARE_NAME;
  secrets.assertFor(!takes ? [] : isOfSite ? secretsTaken(site, [store.name]) : [store.name], []);
}

async function listKeys(io: Io, token: string, options: DoctorOptions): Promise<void> {
  const named = namedToken(io, 'keys', token, options);
  await using access = new CommandAccess(io, options);
  assertSecret(access, named);
  const anchor = named.site === undefined ? undefined : anchorLabel(named.site, named.stores);
  const known = { keys: named.keys, ...(anchor === undefined ? {} : { anchor }) };
  const contents = await listTokenContents(named.store, known, access.secrets, io.runtime);
  io.out(
    options.json === true
      ? jsonLine({ schema: 'vtlic-hsm-keys/1', ...contentsDocument(contents) })
      : contentsText(contents, named.site !== undefined),
  );
}

function anchorLabel(site: Site, stores: readonly string[]): string | undefined {
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const place = ledger.anchorPlace();
    return place.kind === 'token' && stores.includes(place.keystore) ? place.label : undefined;
  } finally {
    ledger.close();
  }
}

const SHOWN_LABEL = 64;

function contentsText({ opened, keys, data }: TokenContents, hasSite: boolean): string {
  const lines = [`${describeToken(opened.token)}, ${opened.profile.name}`];
  const mark = (knownAs: string | undefined): string =>
    knownAs === undefined ? (hasSite ? 'not known to this site' : '') : cleanText(knownAs, 200);
  for (const key of keys) {
    const words = [`"${cleanText(key.label, SHOWN_LABEL)}"`, `id ${toHex(key.id) || 'none'}`, protectionWords(key)];
    const name = mark(key.knownAs);
    lines.push(`  ${keyTypeWords(key)}  ${words.filter((word) => word !== '').join('  ')}`);
    if (name !== '') lines.push(`      ${name}`);
    if (key.knownAs === undefined && hasSite) lines.push(`      remove it: ${removalCommand(opened, key)}`);
  }
  for (const { label, bytes, knownAs } of data)
    lines.push(`  data object  "${cleanText(label, SHOWN_LABEL)}"  ${bytes.length} bytes  ${mark(knownAs)}`.trimEnd());
  if (keys.length + data.length === 0) lines.push('  nothing is in it');
  if (!hasSite) lines.push('  no site was named, so no key is marked as known: name one with --site DIR');
  return `${lines.join('\n')}\n`;
}

function keyTypeWords({ class: type, component, keyType }: ListedKey): string {
  if (type === 'secret') return 'secret key  ';
  const what = component === undefined ? `type 0x${keyType.toString(16)}` : COMPONENT_WORDS[component];
  return `${type} key  ${what}`;
}

/** What the token says of a private or secret key; nothing of what it does not say. */
function protectionWords(key: ListedKey): string {
  const words: readonly (readonly [value: boolean | undefined, whenTrue: string, whenFalse: string])[] = [
    [key.sensitive, 'sensitive', 'NOT sensitive'],
    [key.extractable, 'EXTRACTABLE', 'not extractable'],
    [key.neverExtractable, 'never extractable', 'WAS extractable'],
    [key.maySign, 'signs', 'does not sign'],
    [key.otherUses, 'MORE uses', ''],
    [key.alwaysAuthenticate, 'PIN for each signature', ''],
  ];
  if (key.class === 'public') return '';
  return words
    .map(([value, whenTrue, whenFalse]) => (value === undefined ? '' : value ? whenTrue : whenFalse))
    .filter((word) => word !== '')
    .join(', ');
}

/** The stable form of `--json`: ids in hex, no numbers of this process. */
function contentsDocument({ opened, keys, data }: TokenContents): Readonly<Record<string, unknown>> {
  return {
    token: { label: opened.token.label, serial: opened.token.serial, profile: opened.profile.id },
    keys: keys.map(({ ref: _ref, id, publicBytes, knownAs, ...key }) => ({
      ...key,
      id: toHex(id),
      publicKey: publicBytes === undefined ? null : toHex(publicBytes),
      knownAs: knownAs ?? null,
    })),
    data: data.map(({ label, bytes, knownAs }) => ({ label, bytes: bytes.length, knownAs: knownAs ?? null })),
  };
}

async function doctor(io: Io, token: string, options: DoctorOptions, setExit: SetExit): Promise<void> {
  const named = namedToken(io, 'doctor', token, options);
  await using access = new CommandAccess(io, options);
  assertSecret(access, named);
  const { checks, stopped } = await diagnose(
    named.store,
    named.keys,
    named.site === undefined ? undefined : { paths: named.site.paths, ledgerId: ledgerIdOf(named.site) },
    access.secrets,
    io.runtime,
  );
  const failed = checks.some(({ status }) => status === 'fail');
  setExit(stopped === undefined ? (failed ? EXIT.checksFailed : EXIT.done) : exitCodeOf(stopped.code));
  io.out(
    options.json === true
      ? jsonLine({ schema: 'vtlic-hsm-doctor/1', ok: !failed, checks })
      : checks.map(checkText).join(''),
  );
}

function checkText({ name, status, says, remedy }: Check): string {
  const line = `${status.padEnd(4)}  ${cleanText(name, 200)}: ${cleanText(says, 2000)}\n`;
  return remedy === undefined ? line : `${line}      → ${cleanText(remedy, 1000)}\n`;
}
