/**
 * What `vtlic help COMMAND` and the manual add to the options of a command: groups of options, what the arguments are,
 * which options are required, and examples. Loaded only for a help text.
 */
import { Help, type Command, type Option } from 'commander';
import { MEMBER_FLAGS } from './member-options.ts';

/** The groups, in the order in which a help text shows them. */
const OPTIONS = 'Options:';
const LICENSE = 'What the license says:';
const DRAFT = 'The draft and its number:';
const SIGNING = 'Review and signature:';
const SECRETS = 'Passphrases, PINs and tokens:';
const COMMON = 'Common options:';
const ORDER: readonly string[] = [OPTIONS, LICENSE, DRAFT, SIGNING, SECRETS, COMMON];

const SHARED_GROUPS: ReadonlyMap<string, string> = new Map([
  ['--secret', SECRETS],
  ['--last-try', SECRETS],
  ['--untested-token', SECRETS],
  ['--site', COMMON],
  ['--json', COMMON],
  ['--help', COMMON],
]);
const LICENSE_OPTIONS: ReadonlySet<string> = new Set([...MEMBER_FLAGS, '--customer', '--limit']);
const SIGNING_OPTIONS: ReadonlySet<string> = new Set([
  '--key',
  '--dry-run',
  '--confirm',
  '--confirm-time',
  '--proof',
  '--proof-key',
]);
const DRAFT_OPTIONS: ReadonlySet<string> = new Set([
  '--onto',
  '--version',
  '--releases',
  '--plan',
  '--early',
  '--emergency',
  '--out',
]);

/** @param words of the command after `vtlic` */
function groupOf(words: readonly string[], option: string): string {
  const [name = '', sub = ''] = words;
  const shared = SHARED_GROUPS.get(option);
  if (shared !== undefined) return shared;
  if (['issue', 'renew'].includes(name) && LICENSE_OPTIONS.has(option)) return LICENSE;
  if (['issue', 'renew', 'batch'].includes(name) && SIGNING_OPTIONS.has(option)) return SIGNING;
  const drafts =
    ['revoke', 'supersede'].includes(name) ||
    (name === 'rotation' && !['status', 'simulate', 'signed-by', 'reissue'].includes(sub)) ||
    (name === 'keyset' && sub === 'draft');
  return drafts && DRAFT_OPTIONS.has(option) ? DRAFT : OPTIONS;
}

class GroupedHelp extends Help {
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    super();
    this.#words = words;
  }

  override groupItems<T extends Command | Option>(
    unsortedItems: T[],
    visibleItems: T[],
    getGroup: (item: T) => string,
  ): Map<string, T[]> {
    if (unsortedItems.some((item) => !('flags' in item)))
      return super.groupItems(unsortedItems, visibleItems, getGroup);
    const inGroup = (group: string): T[] =>
      visibleItems.filter((item) => 'long' in item && groupOf(this.#words, item.long ?? '') === group);
    return new Map(ORDER.map((group) => [group, inGroup(group)] as const).filter(([, items]) => items.length > 0));
  }

  /** If the default value (seconds, an empty list) says nothing to a reader, the words of the option name it. */
  override optionDescription(option: Option): string {
    const words =
      Array.isArray(option.defaultValue) || option.description.includes('(default: ')
        ? option.description
        : super.optionDescription(option);
    return option.mandatory ? `${words} (required)` : words;
  }
}

/** Adds to a command and all below it what their help texts need. */
export function completeHelp(command: Command, words: readonly string[] = []): void {
  command.createHelp = () => new GroupedHelp(words);
  const required = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags);
  const takes = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    argument.description ||= ARGUMENTS.get(words.join(' '))?.[argument.name()] ?? '';
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  if (required.length > 0) command.usage([...required, '[options]', ...takes].join(' '));
  const examples = EXAMPLES.get(words.join(' ')) ?? [];
  if (examples.length > 0)
    command.addHelpText(
      'after',
      `\nExample${examples.length > 1 ? 's' : ''}:\n${examples.map((line) => `  ${line}`).join('\n')}`,
    );
  for (const child of command.commands) completeHelp(child, [...words, child.name()]);
}

const KEY_NAME = { name: 'the name of the key: vtlic key list shows it' };
const DRAFTED_KEYS = { keys: 'keys of the site, by their names, or of published keysets, by their key ids' };
const LICENSES = { licenses: 'the ids of licenses: vtlic ledger show CUSTOMER shows them' };
const TOKEN = { token: 'the name of a keystore of the site, or a URI that begins with pkcs11:' };

/** What each argument is, by the words of the command. */
const ARGUMENTS: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map<
  string,
  Readonly<Record<string, string>>
>([
  ['init', { dir: 'the folder of the new site; it must be empty or not exist' }],
  ['key show', KEY_NAME],
  ['key export', KEY_NAME],
  ['key check', KEY_NAME],
  ['key default', KEY_NAME],
  ['key retire', KEY_NAME],
  ['key remove', KEY_NAME],
  ['catalog check', { file: 'a new catalog (default: the catalog of the site)' }],
  ['issue', { request: 'a file with the order, as docs/site.md describes it; or name the order by options' }],
  ['renew', { target: 'the id of a customer or of a license, or a license file' }],
  ['batch', { file: 'the table of the orders: .csv, .tsv or .jsonl' }],
  ['release', { id: 'the id of the license: vtlic ledger show CUSTOMER shows it' }],
  ['ledger verify', { file: 'a copy of the ledger (default: the ledger of the site)' }],
  ['ledger show', { customer: 'the id of a customer, or a text to search for in ids, names and references' }],
  ['ledger prove', { license: 'the id of a license, or its file' }],
  ['ledger check', { file: 'the file with the proof or the checkpoint' }],
  ['ledger backup', { file: 'the new file for the copy; its folder must exist' }],
  ['ledger restore', { copy: 'the backup of the ledger (default: the ledger that the site has)' }],
  ['counters export', { file: 'the new file for the document' }],
  ['counters import', { file: 'the document from the other site' }],
  ['verify', { file: 'the license file, or - for standard input' }],
  ['inspect', { file: 'the license file or the mail, or - for standard input' }],
  ['keyset sign', { draft: 'the file of the draft' }],
  ['keyset publish', { draft: 'the file of the draft', files: 'the files of its signatures' }],
  ['keyset adopt', { chain: 'the file with the published keysets' }],
  ['keyset show', { draft: 'the file of a draft (default: the newest published keyset)' }],
  ['keyset export', { chain: 'the file with the published keysets' }],
  ['keyset inspect', { file: 'the file with keysets' }],
  ['keyset verify', { file: 'the file with the keysets that a product would get' }],
  ['rotation pre-publish', DRAFTED_KEYS],
  ['rotation activate', DRAFTED_KEYS],
  ['rotation retire', DRAFTED_KEYS],
  ['rotation revoke', DRAFTED_KEYS],
  ['rotation lost', { key: 'the key that is lost' }],
  ['rotation reissue', { key: 'the key whose licenses another key signs again, by its name or key id' }],
  ['rotation signed-by', { key: 'the key that was stolen, by its name or key id' }],
  ['rotation stolen', { key: 'the key that was stolen' }],
  ['revoke', LICENSES],
  ['supersede', LICENSES],
  ['hsm keys', TOKEN],
  ['hsm doctor', TOKEN],
]);

/** Examples of the commands whose own module has none. Words in capitals are placeholders. */
const EXAMPLES: ReadonlyMap<string, readonly string[]> = new Map([
  ['init', ['vtlic init my-site --issuer example-vendor --anchor /media/usb/anchor']],
  ['key generate', ['vtlic key generate --name license-1', 'vtlic key generate --name ledger-1 --purpose ledger']],
  ['key list', ['vtlic key list']],
  ['key show', ['vtlic key show license-1']],
  ['key export', ['vtlic key export license-1 --out vendor.pem', 'vtlic key export license-1 --form env']],
  ['key check', ['vtlic key check license-1']],
  ['renew', ['vtlic renew acme-gmbh --years 1', 'vtlic renew acme-gmbh --seats 300 --reference PO-4712']],
  ['batch', ['vtlic batch season.csv --name season-2027', 'vtlic batch --template > orders.csv']],
  ['release', ['vtlic release 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112']],
  ['ledger status', ['vtlic ledger status']],
  ['ledger verify', ['vtlic ledger verify', 'vtlic ledger verify /media/usb/ledger.sqlite']],
  ['ledger export', ['vtlic ledger export > audit.jsonl']],
  ['ledger checkpoint', ['vtlic ledger checkpoint --out checkpoint.txt']],
  ['ledger prove', ['vtlic ledger prove 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112 --beside']],
  ['ledger check', ['vtlic ledger check acme.vtlic.tlog-proof --license acme.vtlic']],
  ['ledger backup', ['vtlic ledger backup /media/usb/ledger-2027-01-15.sqlite']],
  ['ledger anchor', ['vtlic ledger anchor --to /media/usb/anchor', 'vtlic ledger anchor --to token:hsm']],
  ['ledger restore', ['vtlic ledger restore /media/usb/ledger-2027-01-15.sqlite --license out/']],
  ['counters import', ['vtlic counters import acme.counters --trust other-site.pem']],
  ['counters reopen', ['vtlic counters reopen --customer acme-gmbh']],
  [
    'verify',
    [
      'vtlic verify acme.vtlic --product vaultdesk --trust vendor.pem',
      'vtlic verify - --product vaultdesk --deployment prod-eu < acme.vtlic',
    ],
  ],
  ['hsm list', ['vtlic hsm list --module /usr/lib/softhsm/libsofthsm2.so']],
  ['hsm keys', ['vtlic hsm keys hsm']],
  ['hsm doctor', ['vtlic hsm doctor hsm']],
]);
