/** `vtlic hsm list | keys | doctor`: which tokens there are, what is in one, and whether it is fit to sign. */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import {
  type Check,
  describeDeclared,
  type ListedModule,
  listModule,
  moduleFile,
  nameOneToken,
  resolveModule,
} from '../../../keys/private/pkcs11/client/index.ts';
import { parsePkcs11Uri, type Pkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';
import type { ModuleEnvironment } from '../../../keys/private/pkcs11/shared/module-environment.ts';
import { isUntried } from '../../../keys/private/pkcs11/shared/profiles.ts';
import { diagnose, knownModules } from '../../hsm/diagnose.ts';
import { contentsDocument, contentsText, listTokenContents } from '../../hsm/list-keys.ts';
import { ignoredAttributes, keystoresUsed, secretsTaken, tokenKeystoreOf } from '../../keys/keystores.ts';
import { openLedgerForReading } from '../../ledger/index.ts';
import { type KeyRecord, type TokenKeystore, openSite, type Site } from '../../site/site.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { CommandAccess, ledgerIdOf } from '../key-access.ts';
import { shellQuote } from '../command-name.ts';
import {
  collect,
  parseVariables,
  secretOption,
  siteFolder,
  siteOption,
  type SecretOptions,
  type SiteOptions,
} from '../options.ts';

interface ListOptions extends SiteOptions {
  readonly env: readonly string[];
  readonly module: readonly string[];
  readonly json?: boolean;
}

interface DoctorOptions extends SiteOptions, SecretOptions {
  readonly env: readonly string[];
  readonly json?: boolean;
}

/** The keystore's name where a bare URI is examined: `--secret token=file:PATH`. */
const BARE_NAME = 'token';

const ENV_WORDS = 'a variable of the environment that the module needs: NAME, or NAME=VALUE (repeatable)';

export function defineHsm(hsm: Command, io: Io, setExit: SetExit): void {
  siteOption(
    hsm
      .command('list')
      .description('lists PKCS#11 modules and their tokens, without a PIN')
      .option(
        '--module <path>',
        'a module to look at (repeatable; default: those of the site, and those in the usual places)',
        collect,
        [] as string[],
      )
      .option('--env <variable>', ENV_WORDS, collect, [] as string[])
      .option('--json', 'the result as one JSON document'),
  ).action((options: ListOptions) => list(io, options, setExit));
  secretOption(
    siteOption(
      hsm
        .command('keys <token>')
        .description('lists the keys in a token')
        .option('--env <variable>', ENV_WORDS, collect, [] as string[])
        .option('--json', 'the result as one JSON document'),
    ),
  ).action((token: string, options: DoctorOptions) => listKeys(io, token, options));
  secretOption(
    siteOption(
      hsm
        .command('doctor <token>')
        .description('checks whether a token is fit to sign; exit code 0 if it is, 19 if it is not')
        .option('--env <variable>', ENV_WORDS, collect, [] as string[])
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

/** A module to list, with the keystores of the site that name it. */
interface ModuleToList {
  readonly path: string;
  readonly declared: ModuleEnvironment;
  readonly keystores: readonly string[];
}

/** What could not be listed: a module, or a keystore whose module is not found. */
interface ListFault {
  readonly keystores: readonly string[];
  readonly error: VtlicError;
}

function modulesToList(io: Io, options: ListOptions): { modules: readonly ModuleToList[]; faults: ListFault[] } {
  const declared = parseVariables('--env', options.env);
  if (options.module.length > 0)
    return {
      modules: options.module.map((path) => ({ path: resolve(io.cwd, path), declared, keystores: [] })),
      faults: [],
    };
  const modules = new Map<string, ModuleToList>();
  const faults: ListFault[] = [];
  const add = (path: string, more: ModuleEnvironment, keystores: readonly string[]): void => {
    const key = JSON.stringify([path, more]);
    const known = modules.get(key);
    modules.set(key, { path, declared: more, keystores: [...(known?.keystores ?? []), ...keystores] });
  };
  for (const store of siteIfAny(io, options)?.config.keystores.values() ?? []) {
    if (store.type !== 'pkcs11') continue;
    try {
      add(resolveModule(parsePkcs11Uri(store.uri)), { ...declared, ...store.environment }, [store.name]);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      faults.push({ keystores: [store.name], error });
    }
  }
  const ofSite = new Set([...modules.values()].map(({ path }) => moduleFile(path)));
  for (const path of knownModules()) if (!ofSite.has(moduleFile(path))) add(path, declared, []);
  return { modules: [...modules.values()], faults };
}

async function list(io: Io, options: ListOptions, setExit: SetExit): Promise<void> {
  const { modules, faults } = modulesToList(io, options);
  if (modules.length === 0 && faults.length === 0)
    throw new VtlicError('module_unusable', 'no PKCS#11 module was found in the well-known places', {
      hint: 'name one: vtlic hsm list --module PATH',
    });
  const listed: ListedModule[] = [];
  for (const { path, declared, keystores } of modules) {
    try {
      const module = await listModule(path, { environment: io.env, declared });
      listed.push(module);
      if (options.json !== true) io.out(moduleText(module, keystores, describeDeclared(io.env, declared)));
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      faults.push({ keystores, error });
    }
  }
  for (const { keystores, error } of faults) {
    const whose = keystores.length === 0 ? '' : `keystore ${keystores.join(', ')}: `;
    io.err(`vtlic: ${whose}${cleanText(error.message, 2000)}`);
    if (error.hint !== undefined) io.err(`  → ${cleanText(error.hint, 2000)}`);
  }
  const [first] = faults;
  if (first !== undefined && (listed.length === 0 || options.module.length > 0)) setExit(exitCodeOf(first.error.code));
  if (options.json === true)
    io.out(
      jsonLine({
        schema: 'vtlic-hsm-list/1',
        modules: listed.map(moduleDocument),
        faults: faults.map(({ keystores, error: { code, message } }) => ({ code, message, keystores })),
      }),
    );
}

function moduleText(
  { path, module, tokens, unreadable, suspects }: ListedModule,
  keystores: readonly string[],
  declared: readonly string[],
): string {
  const version = `${cleanText(module.description)} ${cleanText(module.libraryVersion)}`;
  const lines = [
    `${cleanText(path, 1000)}: ${version} (${cleanText(module.manufacturer)}), ` +
      `PKCS#11 ${cleanText(module.cryptokiVersion)}`,
  ];
  if (keystores.length > 0) lines.push(`  keystore ${keystores.join(', ')} of the site`);
  for (const line of declared) lines.push(`  environment: ${line}`);
  if (tokens.length === 0) lines.push('  no token');
  for (const { token, state, profile, uri } of tokens) {
    const which =
      token.serial === ''
        ? `no serial, slot "${cleanText(token.slotDescription)}"`
        : `serial ${cleanText(token.serial)}`;
    lines.push(
      `  "${cleanText(token.label)}"  ${which}  ${cleanText(token.manufacturer)} ${cleanText(token.model)}  ` +
        (state.length === 0 ? 'ready' : state.join(', ')),
    );
    lines.push(`      ${profile.name}${isUntried(profile) ? ' (never tried with this toolkit)' : ''}`);
    // Between quotes, since a shell ends a command at ";".
    if (uri !== undefined) lines.push(`      ${shellQuote(uri)}`);
  }
  for (const { slotDescription, fault } of unreadable)
    lines.push(`  slot "${cleanText(slotDescription)}" cannot be read: ${cleanText(fault)}`);
  for (const suspect of suspects) lines.push(`  ${cleanText(suspect, 1000)}`);
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

/** The keystores of the site that are in the token of a bare URI. */
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
  const named: TokenKeystore =
    bare || site === undefined ? { type: 'pkcs11', name: BARE_NAME, uri: token } : tokenKeystoreOf(site, token);
  const environment = { ...named.environment, ...parseVariables('--env', options.env) };
  const store: TokenKeystore = Object.keys(environment).length === 0 ? named : { ...named, environment };
  const uri = parsePkcs11Uri(store.uri, bare ? 'usage' : 'configuration_invalid');
  for (const line of ignoredAttributes(store)) io.err(line);
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
