/** Files of public keys (section 11.2 of docs/format.md), as values, and named changes of them. */
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { exportPublicKey, type PublicKeyForm } from '../../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import type { Answer, Request } from '../../protocol/protocol.ts';
import { base64 } from '../draft.ts';
import { COMPOSITE, ED25519, OTHER_COMPOSITE, SECOND } from '../keys.ts';

type Form = 'pem' | 'der' | 'jwk' | 'jwk set' | 'cose' | 'raw' | 'composite-pem' | 'composite-der' | 'composite-jwk';
type Reason = 'key_invalid' | 'json_malformed';

export interface KeyFileDraft {
  form: Form;
  keys: PublicKey[];
  readonly edits: ((file: Uint8Array) => Uint8Array)[];
  /** What an edit makes of the file. Faults of both kinds together leave the reason open. */
  readonly faults: Reason[];
}

export type KeyFileChange = readonly [words: string, apply: (draft: KeyFileDraft) => void];

export function validKeyFile(): KeyFileDraft {
  return { form: 'pem', keys: [ED25519.publicKey], edits: [], faults: [] };
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOfText = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

function written({ form, keys, edits }: KeyFileDraft): Uint8Array {
  const one = (key: PublicKey, as: PublicKeyForm): Uint8Array =>
    exportPublicKey(key, key.mldsa65 === undefined ? (as.replace('composite-', '') as PublicKeyForm) : as);
  const file =
    form === 'jwk set'
      ? utf8(`{"keys":[${keys.map((key) => latin1(one(key, 'jwk')).trim()).join(',')}]}`)
      : concatBytes(...keys.map((key) => one(key, form)));
  return edits.reduce((bytes, edit) => edit(bytes), file);
}

const SINGLE: ReadonlySet<Form> = new Set<Form>(['jwk', 'cose', 'raw', 'composite-jwk']);

export function prepareKeyFile(draft: KeyFileDraft): { readonly request: Request; readonly expected: Answer } {
  // These forms have one key.
  const keys = SINGLE.has(draft.form) ? draft.keys.slice(0, 1) : draft.keys;
  const request: Request = { op: 'read-keys', file: base64(written({ ...draft, keys })) };
  const [reason] = draft.faults;
  if (reason !== undefined)
    return {
      request,
      expected: { verdict: 'refused', ...(new Set(draft.faults).size === 1 ? { reason } : {}) },
    };
  const distinct = new Map(keys.map((key) => [key.kid, key]));
  const components = [...distinct.values()].flatMap(({ ed25519, mldsa65 }) => [
    ed25519,
    ...(mldsa65 === undefined ? [] : [mldsa65]),
  ]);
  if (new Set(components.map(base64)).size < components.length)
    return { request, expected: { verdict: 'refused', reason: 'key_invalid' } };
  return {
    request,
    expected: {
      keys: [...distinct.keys()].map((kid) => ({ alg: undefined, kid, purpose: undefined, status: undefined })),
    },
  };
}

const FORMS: readonly Form[] = [
  'pem',
  'der',
  'jwk',
  'jwk set',
  'cose',
  'raw',
  'composite-pem',
  'composite-der',
  'composite-jwk',
];

const KEYS: readonly (readonly [string, readonly PublicKey[]])[] = [
  ['an Ed25519 key', [ED25519.publicKey]],
  ['a composite', [COMPOSITE.publicKey]],
  ['three keys', [SECOND.publicKey, COMPOSITE.publicKey, ED25519.publicKey]],
  ['one key twice', [SECOND.publicKey, ED25519.publicKey, SECOND.publicKey]],
  ['a composite beside its component', [ED25519.publicKey, COMPOSITE.ed25519Component.publicKey, COMPOSITE.publicKey]],
];

/** An edit of the text of one form, and the fault that it makes. */
type Row = readonly [words: string, form: Form, edit: (text: string) => string, reason?: Reason];

const PRIVATE: readonly string[] = [
  '-----BEGIN OPENSSH PRIVATE KEY-----',
  'PuTTY-User-Key-File-3: ssh-ed25519',
  'age-secret-key-1qqq',
  'untrusted comment: minisign encrypted secret key',
  '-----BEGIN AGE ENCRYPTED FILE-----',
];

const wrapped = (text: string, edit: (base64: string) => string): string =>
  text.replace(/\n([^-]+)\n-/, (_all, body: string) => `\n${edit(body)}\n-`);

const ROWS: readonly Row[] = [
  ['CR LF line ends', 'pem', (text) => text.replaceAll('\n', '\r\n')],
  ['blanks around it', 'pem', (text) => ` \n\t${text}\r\n `],
  ['short lines and an empty one', 'pem', (text) => wrapped(text, (body) => `${body.replaceAll(/.{20}/g, '$&\n')}\n`)],
  ['blanks in its base64', 'raw', (text) => ` ${text.slice(0, 20)}\r\n\t${text.slice(20)}`],
  ['no line end', 'raw', (text) => text.trim()],
  ['a number of 1,000 digits', 'jwk', (text) => text.replace('}', `,"n":${'9'.repeat(1000)}}`)],
  ['other members', 'jwk', (text) => text.replace('}', ',"use":"enc","alg":"none","kid":"00","n":1e400}')],
  ['blanks around it', 'jwk', (text) => `\r\n\t ${text} `],

  ['text before it', 'pem', (text) => `Key:\n${text}`, 'key_invalid'],
  ['text behind it', 'pem', (text) => `${text}Kind regards\n`, 'key_invalid'],
  ['another label', 'pem', (text) => text.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'), 'key_invalid'],
  ['a header', 'pem', (text) => text.replace('\n', '\nComment: x\n\n'), 'key_invalid'],
  ['no END line', 'pem', (text) => text.replace(/-----END.*\n/, ''), 'key_invalid'],
  ['a byte order mark', 'pem', (text) => `\xef\xbb\xbf${text}`, 'key_invalid'],
  ['a lone CR in it', 'pem', (text) => text.replace('\n', '\r'), 'key_invalid'],
  ['no padding', 'raw', (text) => text.replaceAll('=', ''), 'key_invalid'],
  ...['\v', '\f', '\0', '\x85', '\xa0'].map((character): Row => [
    `U+00${character.charCodeAt(0).toString(16).padStart(2, '0')} in its base64`,
    'raw',
    (text) => text.slice(0, 20) + character + text.slice(20),
    'key_invalid',
  ]),
  ['base64 of 31 bytes', 'raw', () => base64(new Uint8Array(31).fill(9)), 'key_invalid'],
  ['a key of small order', 'raw', () => base64(new Uint8Array(32)), 'key_invalid'],
  ['nothing', 'raw', () => '', 'key_invalid'],
  ['a byte behind it', 'der', (text) => `${text}\0`, 'key_invalid'],
  ['the last byte missing', 'der', (text) => text.slice(0, -1), 'key_invalid'],
  ['a byte behind it', 'cose', (text) => `${text}\0`, 'key_invalid'],
  ['another alg', 'cose', (text) => text.replace('\x01\x01', '\x01\x02'), 'key_invalid'],
  ['another curve', 'jwk', (text) => text.replace('Ed25519', 'X25519'), 'key_invalid'],
  ['another kty', 'jwk', (text) => text.replace('OKP', 'okp'), 'key_invalid'],
  ['padding', 'jwk', (text) => text.replace('"}', '="}'), 'key_invalid'],
  ['no x', 'jwk', (text) => text.replace('"x"', '"y"'), 'key_invalid'],
  ...'d p q dp dq qi oth k priv'
    .split(' ')
    .map((name): Row => [
      `a private member ${name}`,
      'jwk',
      (text) => text.replace('}', `,"${name}":[]}`),
      'key_invalid',
    ]),
  ['a private member deep in it', 'jwk', (text) => text.replace('}', ',"more":[{"priv":null}]}'), 'key_invalid'],
  ['no key in its list', 'jwk set', () => '{"keys":[]}', 'key_invalid'],
  ['a list that is an object', 'jwk set', () => '{"keys":{}}', 'key_invalid'],
  ['a kty beside the list', 'jwk set', (text) => text.replace('{', '{"kty":"OKP",'), 'key_invalid'],
  ['a key of another kind', 'jwk set', (text) => text.replace('{"keys":[', '{"keys":[{"kty":"RSA"},'), 'key_invalid'],
  ['1 MiB and a byte', 'pem', (text) => text.padEnd(1_048_577), 'key_invalid'],
  ...PRIVATE.map((mark): Row => [
    `the text ${mark.slice(0, 30)}`,
    'pem',
    (text) => `${text}\n${mark}\n`,
    'key_invalid',
  ]),

  ['a member twice', 'jwk', (text) => text.replace('}', ',"kty":"OKP"}'), 'json_malformed'],
  ['a member twice, once with an escape', 'jwk', (text) => text.replace('}', ',"\\u006bty":"OKP"}'), 'json_malformed'],
  ...['NaN', 'Infinity', '-Infinity', '01', '+1', '.5', '1.', '0x1', 'True', "'a'", '"\\x41"'].map((value): Row => [
    `the value ${value}`,
    'jwk',
    (text) => text.replace('}', `,"note":${value}}`),
    'json_malformed',
  ]),
  ...['\0', '\t', '\n', '\r', '\x1f'].map((character): Row => [
    `the character U+00${character.charCodeAt(0).toString(16).padStart(2, '0')} in a text`,
    'jwk',
    (text) => text.replace('}', `,"note":"a${character}b"}`),
    'json_malformed',
  ]),
  ['a lone surrogate', 'jwk', (text) => text.replace('}', ',"note":"\\ud800"}'), 'json_malformed'],
  [
    '65 arrays in one another',
    'jwk',
    (text) => text.replace('}', `,"n":${'['.repeat(64)}${']'.repeat(64)}}`),
    'json_malformed',
  ],
  ['text behind its JSON', 'jwk', (text) => `${text}x`, 'json_malformed'],
  ['a comma too many', 'jwk', (text) => text.replace('}', ',}'), 'json_malformed'],
  ['a comment', 'jwk', (text) => text.replace('{', '{/* ours */'), 'json_malformed'],
  ['JSON that ends early', 'jwk', (text) => text.trim().slice(0, -1), 'json_malformed'],
];

export const KEY_FILE_CHANGES: readonly KeyFileChange[] = [
  ...FORMS.flatMap((form) =>
    KEYS.map(([words, keys]): KeyFileChange => [
      `a key file (${form}) with ${words}`,
      (draft) => {
        // A file in one of several forms is changed only once: its edits belong to its form.
        if (draft.edits.length > 0) return;
        draft.form = form;
        draft.keys = [...keys];
      },
    ]),
  ),
  ...ROWS.map(([words, form, edit, reason]): KeyFileChange => [
    `a key file (${form}) with ${words}`,
    (draft) => {
      if (draft.edits.length > 0) return;
      draft.form = form;
      draft.keys = [ED25519.publicKey];
      draft.edits.push((file) => bytesOfText(edit(latin1(file))));
      if (reason !== undefined) draft.faults.push(reason);
    },
  ]),
  [
    'a key file of two composites with one ML-DSA component',
    (draft) => {
      if (draft.edits.length > 0) return;
      draft.form = 'pem';
      draft.keys = [COMPOSITE.publicKey, OTHER_COMPOSITE.publicKey];
      draft.edits.push((file) => swapped(latin1(file)));
      draft.faults.push('key_invalid');
    },
  ],
];

/** The ML-DSA block of the first composite in the place of that of the second one. */
function swapped(file: string): Uint8Array {
  const blocks = file.split(/(?<=-----END PUBLIC KEY-----\n)/);
  return bytesOfText([blocks[0], blocks[1], blocks[0], blocks[3]].join(''));
}
