import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import type { SoftwareKey } from '../../../keys/private/software/software-key.ts';
import { exportPublicKey } from '../../../keys/public/encodings/public-key-file.ts';
import { trustFromOverride, type OverrideVariables } from '../../../verifier/override.ts';
import { makeTrust, type Trust } from '../../../verifier/trust.ts';
import { verify } from '../../../verifier/verify.ts';
import { compositeKey, context, ed25519Key, componentKey, licenseFile, strangeKey, trusted } from './sample.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? new Uint8Array()).toString('base64');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const pems = (key: SoftwareKey): readonly string[] =>
  text(exportPublicKey(key.publicKey, 'pem'))
    .split(/(?<=-----END PUBLIC KEY-----\n)/)
    .filter((block) => block !== '');

const ed = base64(ed25519Key.publicKey.bytes);
const strange = base64(strangeKey.publicKey.bytes);
const ed25519Part = base64(compositeKey.publicKey.ed25519);
const mldsa65Part = base64(compositeKey.publicKey.mldsa65);
const [mldsaPem = '', edOfCompositePem = ''] = pems(compositeKey);
const [edPem = ''] = pems(ed25519Key);

const empty = makeTrust({ keys: [] });
const files: Readonly<Record<string, string>> = {
  '/keys/ed.pem': edPem,
  '/keys/mldsa.pem': mldsaPem,
  '/keys/ed.b64': `\n${ed}\r\n`,
  '/keys/two.pem': edPem + edPem,
  '/keys/bom': `\ufeff${ed}`,
  '/keys/empty': '',
  '/keys/largest': ed.padEnd(64 * 1024),
  '/keys/larger': ed.padEnd(64 * 1024 + 1),
};
const readFile = (path: string): Uint8Array => {
  const content = files[path];
  if (content === undefined) throw new Error(`ENOENT ${path}`);
  return utf8(content);
};

const overridden = (env: OverrideVariables, builtIn: Trust = empty): Trust => trustFromOverride(env, builtIn, readFile);
const kids = (trust: Trust): readonly string[] => trust.keys.map(({ key }) => key.kid);

function refusal(env: OverrideVariables, builtIn: Trust = empty): string {
  return inWords(thrown(() => overridden(env, builtIn)));
}

describe('without the variables', () => {
  const builtIn = makeTrust({ keys: [trusted(ed25519Key)] });
  it.each([
    {},
    { LICENSE_PUBLIC_KEY: undefined },
    { LICENSE_PUBLIC_KEY: '' },
    { LICENSE_PUBLIC_KEY: ' \t\n', LICENSE_MLDSA_PUBLIC_KEY: '  ', LICENSE_REQUIRE_COMPOSITE: '' },
  ])('the built-in trust stays: %j', (env) => expect(overridden(env, builtIn)).toBe(builtIn));

  it('LICENSE_REQUIRE_COMPOSITE=1 alone keeps the keys and refuses Ed25519 alone', async () => {
    const trust = overridden({ LICENSE_REQUIRE_COMPOSITE: ' 1 ' }, builtIn);
    expect(kids(trust)).toEqual(kids(builtIn));
    expect(verify(await licenseFile(), trust, context)).toMatchObject({ reason: 'algorithm_not_allowed' });
  });

  it('what is built in as required stays required', () => {
    expect(
      overridden({ LICENSE_PUBLIC_KEY: ed }, makeTrust({ keys: [], requireComposite: true })).requireComposite,
    ).toBe(true);
  });
});

describe('every form of an item', () => {
  it.each([
    ['base64', ed],
    ['base64 with blanks around', `  ${ed}\n`],
    ['PEM', edPem],
    ['PEM without its last line end, with CRLF', edPem.trimEnd().replaceAll('\n', '\r\n')],
    ['a file with PEM', 'file:/keys/ed.pem'],
    ['a file with base64', 'file:/keys/ed.b64'],
    ['a file of 64 KiB', 'file:/keys/largest'],
  ])('%s gives the key', (_, item) =>
    expect(kids(overridden({ LICENSE_PUBLIC_KEY: item }))).toEqual([ed25519Key.publicKey.kid]),
  );

  it.each([
    ['base64', ed25519Part, mldsa65Part],
    ['PEM', edOfCompositePem, mldsaPem],
    ['a file and base64', ed25519Part, 'file:/keys/mldsa.pem'],
  ])('%s pairs to the composite', (_, ed25519, mldsa65) => {
    expect(kids(overridden({ LICENSE_PUBLIC_KEY: ed25519, LICENSE_MLDSA_PUBLIC_KEY: mldsa65 }))).toEqual([
      compositeKey.publicKey.kid,
    ]);
  });

  it('an empty ML-DSA item makes its Ed25519 key a key of its own', () => {
    expect(
      kids(overridden({ LICENSE_PUBLIC_KEY: `${ed},${ed25519Part}`, LICENSE_MLDSA_PUBLIC_KEY: `,${mldsa65Part}` })),
    ).toEqual([ed25519Key.publicKey.kid, compositeKey.publicKey.kid]);
    expect(
      kids(
        overridden({ LICENSE_PUBLIC_KEY: `${ed25519Part} , ${ed}`, LICENSE_MLDSA_PUBLIC_KEY: ` ${mldsa65Part} , ` }),
      ),
    ).toEqual([compositeKey.publicKey.kid, ed25519Key.publicKey.kid]);
  });

  it('the same key twice is one key', () =>
    expect(kids(overridden({ LICENSE_PUBLIC_KEY: `${ed},${edPem}` }))).toEqual([ed25519Key.publicKey.kid]));
});

describe('what stays of the built-in trust', () => {
  const builtIn = makeTrust({
    keys: [trusted(ed25519Key, { status: 'revoked' }), trusted(strangeKey, { purpose: 'root' })],
    ed25519Until: 5_000_000_000,
    revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
    lowestCounters: [['a/b/c', 5]],
  });

  it('is all but the issuing keys', () => {
    const trust = overridden({ LICENSE_PUBLIC_KEY: ed25519Part, LICENSE_MLDSA_PUBLIC_KEY: mldsa65Part }, builtIn);
    expect(kids(trust)).toEqual([strangeKey.publicKey.kid, compositeKey.publicKey.kid]);
    expect(trust).toMatchObject({
      ed25519Until: 5_000_000_000,
      revokedLicenses: new Set(['0193817a-6c00-7000-8000-000000000001']),
      lowestCounters: new Map([['a/b/c', 5]]),
    });
  });

  it('keeps the purpose and status of a kid that is known', async () => {
    const trust = overridden({ LICENSE_PUBLIC_KEY: `${ed},${strange}` }, builtIn);
    expect(trust.keys.find(({ key }) => key.kid === ed25519Key.publicKey.kid)).toMatchObject({ status: 'revoked' });
    expect(trust.keys.find(({ key }) => key.kid === strangeKey.publicKey.kid)).toMatchObject({ purpose: 'root' });
    expect(verify(await licenseFile(), trust, context)).toMatchObject({ reason: 'key_revoked' });
    expect(verify(await licenseFile({}, strangeKey), trust, context)).toMatchObject({ reason: 'key_wrong_purpose' });
  });
});

describe('what is configuration_invalid', () => {
  const small = base64(new Uint8Array(32));
  const privatePem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  it.each<[string, OverrideVariables, string]>([
    [
      'the second without the first',
      { LICENSE_MLDSA_PUBLIC_KEY: mldsa65Part },
      'configuration_invalid: LICENSE_PUBLIC_KEY is missing',
    ],
    [
      'the second with a blank first',
      { LICENSE_PUBLIC_KEY: ' ', LICENSE_MLDSA_PUBLIC_KEY: mldsa65Part },
      'LICENSE_PUBLIC_KEY is missing',
    ],
    [
      'fewer items in the second',
      { LICENSE_PUBLIC_KEY: `${ed},${ed25519Part}`, LICENSE_MLDSA_PUBLIC_KEY: mldsa65Part },
      'as many items as LICENSE_PUBLIC_KEY (2), but it has 1',
    ],
    [
      'more items in the second',
      { LICENSE_PUBLIC_KEY: ed25519Part, LICENSE_MLDSA_PUBLIC_KEY: `${mldsa65Part},` },
      'but it has 2',
    ],
    ['an empty Ed25519 item', { LICENSE_PUBLIC_KEY: `${ed},` }, 'item 2 of LICENSE_PUBLIC_KEY is empty'],
    ['a comma alone', { LICENSE_PUBLIC_KEY: ',' }, 'item 1 of LICENSE_PUBLIC_KEY is empty'],
    ['an ML-DSA key in the first', { LICENSE_PUBLIC_KEY: mldsa65Part }, 'base64 of 1952 bytes'],
    [
      'an Ed25519 key in the second',
      { LICENSE_PUBLIC_KEY: ed25519Part, LICENSE_MLDSA_PUBLIC_KEY: ed },
      'base64 of 32 bytes',
    ],
    ['the bytes of a composite', { LICENSE_PUBLIC_KEY: base64(compositeKey.publicKey.bytes) }, 'base64 of 1984 bytes'],
    ['base64 without padding', { LICENSE_PUBLIC_KEY: ed.replace('=', '') }, 'canonical base64'],
    ['base64url', { LICENSE_PUBLIC_KEY: `${ed.slice(0, 10)}-${ed.slice(11)}` }, 'canonical base64'],
    ['base64 with a blank inside', { LICENSE_PUBLIC_KEY: `${ed.slice(0, 10)} ${ed.slice(10)}` }, 'canonical base64'],
    ['hex', { LICENSE_PUBLIC_KEY: Buffer.from(ed25519Key.publicKey.bytes).toString('hex') }, 'base64 of 48 bytes'],
    ['a key of small order', { LICENSE_PUBLIC_KEY: small }, 'small order'],
    ['a private PEM', { LICENSE_PUBLIC_KEY: privatePem }, 'private key'],
    ['a PEM of the other kind', { LICENSE_PUBLIC_KEY: mldsaPem }, 'should contain an ed25519 key'],
    ['two PEM blocks in one item', { LICENSE_PUBLIC_KEY: mldsaPem + edOfCompositePem }, 'found 2 keys'],
    ['PEM on one line', { LICENSE_PUBLIC_KEY: edPem.replaceAll('\n', ' ') }, 'PEM blocks'],
    ['PEM with \\n spelled out', { LICENSE_PUBLIC_KEY: edPem.replaceAll('\n', '\\n') }, 'PEM blocks'],
    ['a JWK', { LICENSE_PUBLIC_KEY: '{"kty":"OKP"}' }, 'canonical base64'],
    ['a file that is not there', { LICENSE_PUBLIC_KEY: 'file:/keys/missing' }, 'cannot be read'],
    ['a file with two keys', { LICENSE_PUBLIC_KEY: 'file:/keys/two.pem' }, 'found 2 keys'],
    ['a file of more than 64 KiB', { LICENSE_PUBLIC_KEY: 'file:/keys/larger' }, 'far too large'],
    ['an empty file', { LICENSE_PUBLIC_KEY: 'file:/keys/empty' }, 'base64 of 0 bytes'],
    ['a file with a byte order mark', { LICENSE_PUBLIC_KEY: 'file:/keys/bom' }, 'canonical base64'],
    ['a file within a file', { LICENSE_PUBLIC_KEY: 'file:file:/keys/ed.pem' }, 'cannot be read'],
    ['a path with terminal escapes', { LICENSE_PUBLIC_KEY: 'file:/keys/\u001b[31m' }, '\\u{001B}'],
    ['a strange LICENSE_REQUIRE_COMPOSITE', { LICENSE_REQUIRE_COMPOSITE: 'true' }, 'should be 1 or unset'],
    ['a LICENSE_REQUIRE_COMPOSITE of 0', { LICENSE_REQUIRE_COMPOSITE: '0' }, 'should be 1 or unset'],
    [
      'one component with two partners',
      { LICENSE_PUBLIC_KEY: `${ed25519Part},${ed25519Part}`, LICENSE_MLDSA_PUBLIC_KEY: `${mldsa65Part},` },
      'share a component',
    ],
    [
      'one ML-DSA component with two partners',
      { LICENSE_PUBLIC_KEY: `${ed25519Part},${ed}`, LICENSE_MLDSA_PUBLIC_KEY: `${mldsa65Part},${mldsa65Part}` },
      'share a component',
    ],
  ])('%s', (_, env, words) => {
    const said = refusal(env);
    expect(said).toContain('configuration_invalid: ');
    expect(said).toContain(words);
  });

  it('refuses a component of a built-in composite as a key of its own', () => {
    for (const purpose of ['license', 'root'] as const) {
      expect(
        refusal(
          { LICENSE_PUBLIC_KEY: base64(componentKey.publicKey.bytes) },
          makeTrust({ keys: [trusted(compositeKey, { purpose })] }),
        ),
      ).toContain('share a component');
    }
    const reused = concatBytes(compositeKey.publicKey.mldsa65 ?? new Uint8Array());
    expect(
      refusal(
        { LICENSE_PUBLIC_KEY: strange, LICENSE_MLDSA_PUBLIC_KEY: base64(reused) },
        makeTrust({ keys: [trusted(compositeKey)] }),
      ),
    ).toContain('share a component');
  });
});
