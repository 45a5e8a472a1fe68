/**
 * Every text of the page, in one table. A product translates by giving other texts for the same names; `{name}` is
 * filled in. The sentences about a license (`NOTICES`) and about a repaired paste (`REPAIR_WORDS`) are translated by
 * their codes in the same way.
 */
import { formatInstant } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { REPAIR_WORDS, type Repair } from '../../formats/normalize-pasted.ts';
import { NOTICES, type Notice, type NoticeCode, type NoticeFacts } from '../runtime/index.ts';

/** The texts of the page itself. */
export const ADMIN_TEXTS = {
  /** A language tag (BCP 47), for the attribute `lang`. */
  language: 'en',
  /** `ltr` or `rtl`. */
  direction: 'ltr',
  title: 'License',
  signed_in_as: 'Signed in as {operator}',

  now_heading: 'In force now',
  state_active: 'Active',
  state_grace: 'Expired, in grace',
  state_free_tier: 'Free tier: no license is in force',
  state_not_applicable: 'Not applicable: no license is needed in this mode',
  explain_active: 'Everything in the license is available.',
  explain_grace: 'Everything in the license is available until the grace ends: {until}.',
  explain_free_tier: 'Only what comes without a license is available, until one is installed.',
  explain_not_applicable: 'Nothing can be installed here.',
  days_left: 'Days until it expires: {days}',
  last_day: 'It expires within a day.',
  expired_today: 'It expired less than a day ago.',
  expired: 'Days since it expired: {days}',
  grace_left: 'Days of grace left: {days}',
  not_in_force_heading: 'The license here, which is not in force',

  customer: 'Customer',
  deployment: 'Deployment',
  tier: 'Tier',
  use: 'Use',
  use_production: 'production',
  use_non_production: 'not for production',
  use_trial: 'trial',
  use_emergency: 'emergency',
  seats: 'Seats',
  seats_unlimited: 'unlimited',
  seats_used: '{sold} sold, {used} used',
  seats_used_unlimited: 'unlimited, {used} used',
  seats_used_free: '{seats} without a license, {used} used',
  seats_used_unknown: '{seats}; how many are used is not known now',
  seats_exceeded: 'More seats are used than are available.',
  instances: 'Hosts at once',
  features: 'Features',
  none: 'none',
  limit: 'Limit {name}',
  from: 'Valid from',
  until: 'Valid until',
  until_day: 'until the end of this day, UTC',
  no_end: 'no end',
  grace_until: 'Grace until',
  updates_until: 'Covers builds dated until',
  updates_all: 'all builds',
  counter: 'Counter',
  license_id: 'License id',
  keyset_version: 'Keyset version',
  place: 'Read from',
  place_file: 'the file {path}',
  place_text: 'the variable LICENSE_TEXT',
  place_nowhere: 'nowhere: LICENSE_PATH is not set',
  place_saas: 'nowhere: DEPLOYMENT_MODE is saas',
  judged_at: 'As of',
  unlisted: 'not limited',

  warnings_heading: 'Please note',
  detail: 'Detail:',
  waiting_heading: 'A renewal waits',
  waiting_explain: 'It comes into force by itself at {from}. Until then nothing changes.',
  refused_heading: 'Refused last',
  refused_explain: 'At {at}. What was in force stayed in force.',

  install_heading: 'Install a renewal',
  install_fault_heading: 'A renewal cannot be installed on this page',
  paste_label: 'Paste the license',
  paste_help: 'The whole block, from BEGIN to END. What a mail did to its lines and blanks is repaired.',
  paste_keysets: 'Keysets that the vendor sent along may be pasted with it.',
  file_label: 'Or choose the license file',
  file_help: 'A file is taken exactly as it is. If it is refused as damaged, paste its text instead.',
  preview_button: 'Show what would change',
  preview_help: 'Nothing is installed yet: the next page shows what would change.',

  preview_heading: 'What would change',
  preview_in_force: 'The license is genuine. Once it is installed, it comes into force at once.',
  preview_waiting: 'The license is genuine. Once it is installed, it comes into force by itself at {from}.',
  preview_keyset: 'The keysets are genuine. Once they are installed, version {version} counts.',
  preview_same: 'This is the license that is installed already.',
  preview_with_keysets: 'Keysets are installed with it; version {version} counts then.',
  repaired_heading: 'What was repaired in the pasted text',
  repaired_explain: 'The signature was verified after that, as always.',
  column_what: 'What',
  column_now: 'Now',
  column_after: 'After',
  changed: 'changed',
  caution_heading: 'Before you install it',
  caution_customer: 'It is for another customer than the license that is here now.',
  caution_deployment: 'It is for another deployment than the license that is here now.',
  caution_use: 'It is not for production: {use}.',
  caution_seats: 'It has fewer seats than are used now.',
  caution_earlier_end: 'It ends before the license that is here now.',
  caution_features: 'Features would be lost: {features}.',
  digest: 'Digest of what is installed (SHA-256)',
  step_up_password: 'Your password, to confirm',
  step_up_code: 'The code of your authenticator, to confirm',
  install_button: 'Install this license',
  install_keyset_button: 'Install these keysets',
  cancel: 'Cancel',

  done_in_force: 'The license is installed and in force.',
  done_waiting: 'The license is installed. It comes into force by itself at {from}.',
  done_keyset: 'The keysets are installed.',
  done_not_recorded: 'The audit log could not be written after that. Tell whoever is responsible for it.',
  refused_message: 'Nothing was installed.',
  fault_nothing: 'Paste a license, or choose a file.',
  fault_both: 'Paste a license or choose a file, but not both.',
  fault_file_text: 'The file is not a license file: it is not text.',
  paste_no_block: 'There is no block from BEGIN to END in the text.',
  paste_nested: 'A block begins within another one.',
  paste_mixed: 'A block ends with the END line of another kind.',
  paste_cut: 'The text ends before the END line: a part of the block is missing.',
  paste_two: 'There are two different licenses in the text.',
  paste_character: 'There is a character in the block that does not belong there.',
  paste_incomplete: 'Some of the block is missing.',
  paste_too_large: 'The text is larger than any license.',
  fault_form_expired: 'This page was open for too long. Please try again.',
  fault_preview_expired: 'The preview is too old. Please look at it once more.',
  fault_preview_used: 'This preview was used already. What is in force now is shown below.',
  fault_use_unknown:
    'It cannot be found out whether this preview was used already, so nothing was installed. Please try again.',
  fault_changed: 'Something else was installed since the preview. Please look at it once more.',
  fault_step_up: 'You could not be confirmed. Nothing was installed; please try again.',
  fault_audit: 'The audit log could not be written, so nothing was installed.',
  fault_failed: 'The installation failed, and it is not known how far it went. What is in force now is shown below.',

  error_title: 'This did not work',
  error_forbidden: 'You may not use this page.',
  error_cross_site: 'The request did not come from this page, so nothing was done.',
  error_token: 'The form is not one of this session, so nothing was done.',
  error_method: 'This page takes only GET and POST.',
  error_type: 'This page takes only the forms that it shows.',
  error_malformed: 'The form cannot be read.',
  error_large: 'This is more than any license. Nothing of it was kept.',
  error_slow: 'The form did not arrive in time.',
  back: 'Back to the page',
} as const;
Object.freeze(ADMIN_TEXTS);

export type TextName = keyof typeof ADMIN_TEXTS;

/** `{name}` in each text is replaced by the value of the notice (docs/admin.md, "Translation"). */
export interface NoticeWords extends NoticeFacts {
  /** In place of the English detail; an empty text shows none. Absent: the English one is shown, marked as such. */
  readonly detail?: string;
}

/** Texts, or a function of the values, where one text does not fit all of them. */
export type NoticeTranslation = NoticeWords | ((values: Notice['values']) => NoticeWords);

export interface Translation {
  readonly texts?: Readonly<Partial<Record<TextName, string>>>;
  readonly notices?: Readonly<Partial<Record<NoticeCode, NoticeTranslation>>>;
  readonly repairs?: Readonly<Partial<Record<Repair, string>>>;
}

export interface ShownNotice extends NoticeFacts {
  readonly detail: string;
  /** The detail was not translated. */
  readonly isEnglish: boolean;
}

/** Values that are seconds since 1970. */
const TIMES: ReadonlySet<string> = new Set(['until', 'from', 'clock', 'build']);

export type Values = Readonly<Record<string, string | number>>;

export class Texts {
  readonly #texts: Readonly<Record<TextName, string>>;
  readonly #notices: Readonly<Partial<Record<NoticeCode, NoticeTranslation>>>;
  readonly #repairs: Readonly<Record<Repair, string>>;

  /** @throws VtlicError `usage` for a name that does not exist, or a text without a part that is filled in */
  constructor({ texts = {}, notices = {}, repairs = {} }: Translation = {}) {
    for (const [name, text] of Object.entries(texts)) checkText(name, text);
    checkNames('notices', notices, NOTICES);
    checkNames('repairs', repairs, REPAIR_WORDS);
    this.#texts = { ...ADMIN_TEXTS, ...texts };
    this.#notices = { ...notices };
    this.#repairs = { ...REPAIR_WORDS, ...repairs };
    if (this.#texts.direction !== 'ltr' && this.#texts.direction !== 'rtl')
      throw misuse('texts.direction', 'should be "ltr" or "rtl"');
    if (!/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/.test(this.#texts.language))
      throw misuse('texts.language', 'should be a language tag, such as "de" or "pt-BR"');
  }

  of(name: TextName, values: Values = {}): string {
    return filled(this.#texts[name], values);
  }

  /** A notice in the language of the page, as far as there is a translation. */
  notice({ code, detail, values }: Notice): ShownNotice {
    const given = this.#notices[code];
    const words = typeof given === 'function' ? given(values) : (given ?? NOTICES[code]);
    const shown = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, TIMES.has(name) ? momentText(Number(value)) : value]),
    );
    const [sentence, remedy] = [filled(words.sentence, shown), filled(words.remedy, shown)];
    const { detail: translated }: NoticeWords = words;
    if (translated === undefined) return { sentence, remedy, detail, isEnglish: true };
    return { sentence, remedy, detail: filled(translated, shown), isEnglish: false };
  }

  repair(repair: Repair): string {
    return this.#repairs[repair];
  }
}

function filled(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => (Object.hasOwn(values, key) ? String(values[key]) : whole));
}

export function momentText(seconds: number): string {
  return formatInstant(seconds).replace('T', ' ').replace('Z', ' UTC');
}

function checkText(name: string, text: unknown): void {
  const ours = Object.hasOwn(ADMIN_TEXTS, name) ? ADMIN_TEXTS[name as TextName] : undefined;
  if (ours === undefined) throw misuse(`texts.${name}`, 'is not text of this page (ADMIN_TEXTS has all)');
  if (typeof text !== 'string' || text === '') throw misuse(`texts.${name}`, 'should be a text');
  const missing = (ours.match(/\{\w+\}/g) ?? []).filter((part) => !text.includes(part));
  if (missing.length > 0) throw misuse(`texts.${name}`, `should contain ${missing.join(' and ')}`);
}

function checkNames(member: string, given: object, known: object): void {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(known, name)) throw misuse(`${member}.${name}`, 'is not a known code');
}

function misuse(field: string, fault: string): VtlicError {
  return new VtlicError('usage', `${field} ${fault}`, { field });
}
