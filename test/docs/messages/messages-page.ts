/** docs/messages.md: what the commands and a product say when something is wrong, by exit code and by kind. */
import { EXIT } from '../../../formats/exit-codes.ts';
import type { ErrorCode } from '../../../formats/error.ts';
import { exitCodeOf } from '../../../signer/cli/exit-codes.ts';
import { NOTICES } from '../../../verifier/runtime/notices.ts';
import { findMessages, type Message } from './find-messages.ts';

/** The folders whose errors reach a person. */
const FOLDERS = [
  'formats',
  'files',
  'keys',
  'verifier',
  'signer',
  'conformance/protocol',
  'conformance/runner',
  'conformance/vectors',
];

/** What each kind of error means for whoever reads it. */
const MEANINGS: Readonly<Record<ErrorCode, string>> = {
  internal: 'A defect of this program. Report it (SECURITY.md).',
  usage: 'The command line is wrong: a command, an option or a value.',
  configuration_invalid: 'A file of the site, a trust file or the environment is wrong.',
  file_unreadable: 'A file does not exist or cannot be read.',
  json_malformed: 'A JSON file is not strict JSON.',
  key_invalid: 'A key file is not a key that this program takes.',
  crypto_unavailable: "The runtime's cryptography fails.",
  license_refused: 'A product in production does not start.',
  secret_missing: 'A passphrase or a PIN was not given.',
  request_invalid: 'A request, a plan or a row of a batch is wrong.',
  policy_refused: 'The catalog or a rule of the site does not allow this license.',
  ledger_missing: 'There is no ledger where the site should have one.',
  ledger_version: 'The ledger was written by another version of this program.',
  ledger_corrupt: 'The ledger is damaged or was changed.',
  ledger_rolled_back: 'The ledger is older than its anchor.',
  ledger_conflict: 'The ledger does not allow this act.',
  ledger_in_use: 'Another process uses the ledger.',
  clock_refused: "The machine's clock is wrong.",
  key_claimed: 'The key belongs to another ledger.',
  module_unusable: 'The PKCS#11 module cannot be used.',
  token_not_found: 'No token fits.',
  token_ambiguous: 'More than one token fits.',
  key_not_found: 'No key fits.',
  key_ambiguous: 'More than one key fits.',
  passphrase_refused: 'The passphrase is wrong.',
  keyfile_corrupt: 'The key file is damaged.',
  pin_refused: 'The PIN was refused, or it cannot be a PIN.',
  pin_locked: 'The PIN is locked.',
  pin_last_try: 'The PIN has one try left.',
  signing_failed: 'Nothing was signed.',
  signing_unknown: 'It is not known whether the key signed. The counters are used up.',
  declined: 'The officer said no, or the review was not of this plan.',
  plan_stale: 'The plan is out of date.',
  output_exists: 'A file is in the way.',
  output_unwritable: 'A file could not be written.',
  ledger_unwritable: 'The ledger or its anchor could not be written.',
  self_check_failed: 'The program refused its own output. Nothing was released.',
  checks_failed: 'A check found something wrong.',
  interrupted: 'Somebody interrupted the program.',
  too_large: 'The file is too large.',
  armor_malformed: 'The file is not one whole block.',
  cbor_malformed: 'The content of a block is damaged.',
  cbor_not_deterministic: 'The content of a block is not encoded in the form that the format requires.',
  cose_malformed: 'The block does not contain what is signed.',
  typ_wrong: 'The block is a signed document of another kind.',
  alg_unknown: 'The algorithm is unknown.',
  claims_malformed: 'A claim has a wrong form.',
  claims_unknown: 'A claim is unknown.',
};

const INTRODUCTION = `# All messages

This page is for whoever has a message and wants to know more: search for some words of it. The page is written
from the source code by \`node test/docs/make-messages.ts\`, and a test compares them.

- A word in braces, for example {path}, is a value that the program fills in.
- Instead of "{path}", the name of a member, a message says "the document" if the fault is in the whole file.
- An error is printed as \`vtlic: FILE: FIELD: sentence\`; the second line, after an arrow, says what to do.
- With \`--json\` the error is a document whose member \`code\` is the word in the headings of this page.
- The exit code is the number with which the process ends ([all exit codes](../README.md#exit-codes)).
- What the command line's own parser says (an option without its value, for example) has exit code ${EXIT.usage} and is not listed.
`;

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(MEANINGS, code);
}

/** By exit code; defects of the program come last, since nobody but its developers can mend them. */
function rank(code: ErrorCode): number {
  return code === 'internal' ? Infinity : exitCodeOf(code);
}

function cell(text: string | undefined): string {
  return (text ?? '')
    .replaceAll('\n', ' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replace(/\p{Cc}/gu, ' ')
    .trim();
}

/** Rows of one sentence with several hints are one row. */
function rowsOf(messages: readonly Message[]): readonly string[] {
  const bySentence = Map.groupBy(messages, ({ sentence }) => sentence);
  return [...bySentence]
    .toSorted(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .map(([sentence, all]) => {
      const hints = [...new Set(all.map(({ hint }) => cell(hint)))].filter((hint) => hint !== '');
      const files = [...new Set(all.map(({ file }) => `\`${file}\``))];
      return `| ${cell(sentence)} | ${hints.join('<br>or: ')} | ${files.join('<br>')} |`;
    });
}

/** Leaves out what a message says of a whole document if it says the same of a member of it. */
function withoutRepeats(messages: readonly Message[]): readonly Message[] {
  const keyOf = ({ code, hint }: Message, sentence: string): string => JSON.stringify([code, sentence, hint]);
  const known = new Set(messages.map((message) => keyOf(message, message.sentence)));
  return messages.filter(
    (message) =>
      !known.has(keyOf(message, message.sentence.replace(/^the document(?= )/, '"{path}"'))) ||
      !message.sentence.startsWith('the document '),
  );
}

function table(messages: readonly Message[]): string {
  return `| message | what to do | made in |\n|---|---|---|\n${rowsOf(withoutRepeats(messages)).join('\n')}\n`;
}

export function messagesPage(): string {
  const { messages, unseen } = findMessages(FOLDERS);
  const known = messages.filter(({ code }) => isErrorCode(code));
  const sections = Object.keys(MEANINGS)
    .filter(isErrorCode)
    .toSorted((a, b) => rank(a) - rank(b))
    .flatMap((code) => {
      const own = known.filter((message) => message.code === code);
      if (own.length === 0) return [];
      return [`## Exit ${exitCodeOf(code)}: \`${code}\`\n\n${MEANINGS[code]}\n\n${table(own)}`];
    });
  const others = messages.filter(({ code }) => !isErrorCode(code));
  return [
    INTRODUCTION,
    ...sections,
    '## Files that are read for several purposes\n\n' +
      'The code, and with it the exit code, depends on the file: `configuration_invalid` for a file of the site, ' +
      '`request_invalid` for a request or a batch, `ledger_corrupt` for the ledger.\n\n' +
      table(others),
    '## What a product and `vtlic verify` say of a license or a keyset\n\n' +
      'A verdict is no error of the program: the codes are those of `vtlic verify`, of `vtlic-product` and of the ' +
      'admin page. [docs/format.md](format.md), [docs/keysets.md](keysets.md) and [docs/runtime.md](runtime.md) ' +
      'say when each comes.\n\n' +
      `| code | message | what to do |\n|---|---|---|\n${Object.entries(NOTICES)
        .map(([code, { sentence, remedy }]) => `| \`${code}\` | ${cell(sentence)} | ${cell(remedy)} |`)
        .join('\n')}\n`,
    '## Messages of others\n\n' +
      'Here the sentence is that of another error: of the operating system, of a library, or one of this page.\n\n' +
      `${unseen.map((line) => `- \`${line}\``).join('\n')}\n`,
  ].join('\n');
}
