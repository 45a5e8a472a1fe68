/** Each kind of mistake with modules, tokens and keys has its own sentence and code. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VtlicError } from '../../formats/error.ts';
import { listModule } from '../../keys/private/pkcs11/client/list-tokens.ts';
import { PROFILES } from '../../keys/private/pkcs11/shared/profiles.ts';
import { openToken, type Token } from '../../keys/private/pkcs11/client/token.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import { exitCodeOf } from '../support/exit-codes.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, optionsOf, random, type TestToken } from './support/test-token.ts';
import { rejected } from '../support/thrown.ts';

const MAKE_OBJECTS = fileURLToPath(new URL('./support/make-objects.ts', import.meta.url));

/** What an officer reads, by test: each kind of mistake has a sentence of its own. */
const told = new Map<string, string>();

async function faultOf(work: Promise<unknown>): Promise<VtlicError> {
  const error = await rejected(work);
  told.set(expect.getState().currentTestName ?? '', `${exitCodeOf(error.code)} ${error.message}`);
  return error;
}

function plant(made: TestToken, what: string): void {
  const run = spawnSync(process.execPath, [MAKE_OBJECTS, made.module, made.pin, what], {
    env: { ...process.env, ...made.environment },
    encoding: 'utf8',
  });
  if (run.stdout !== 'done\n') throw new Error(run.stderr);
}

let soft: TestToken;
beforeAll(() => {
  soft = makeSofthsm('alpha', 'beta');
});
afterAll(() => soft?.remove());

const uriOf = (text: string): ReturnType<typeof parsePkcs11Uri> => parsePkcs11Uri(text);
const openUri = (text: string): Promise<Token> => openToken({ ...optionsOf(soft, 'alpha'), uri: uriOf(text) }, random);

describe('a module', () => {
  it.each([
    ['that is not there', '/nowhere/lib.so', 'module_unusable', 'cannot be read'],
    ['that is not a library', 'text.so', 'module_unusable', 'cannot be loaded'],
    ['that is a library, but not PKCS#11', 'libm', 'module_unusable', 'not a PKCS#11 module'],
    ['that is a folder', 'folder', 'configuration_invalid', 'is a folder'],
  ])('refuses a module %s', async (_, name, code, words) => {
    const text = join(soft.folder, 'text.so');
    writeFileSync(text, 'not a library');
    mkdirSync(join(soft.folder, 'folder'), { recursive: true });
    const libm = spawnSync('sh', ['-c', 'ldconfig -p | grep -m1 -o "/.*libm\\.so.*"'], {
      encoding: 'utf8',
    }).stdout.trim();
    const path = name === 'libm' ? libm : name.startsWith('/') ? name : join(soft.folder, name);
    const error = await faultOf(openUri(`pkcs11:token=alpha?module-path=${path}`));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.hint).toBeDefined();
  });

  it('refuses a module that is not named', async () => {
    expect((await faultOf(openUri('pkcs11:token=alpha'))).message).toContain('names no module');
    expect((await faultOf(openUri('pkcs11:token=alpha?module-name=no-such-module'))).message).toContain(
      'no PKCS#11 module "no-such-module"',
    );
  });

  it('is found by its name in a folder', async () => {
    const token = await openUri(`pkcs11:token=alpha?module-path=${join(soft.module, '..')}&module-name=softhsm2`);
    expect(token.opened.modulePath).toBe(soft.module);
    await token.close();
  });

  it('refuses a module whose configuration is broken', async () => {
    const options = optionsOf(soft, 'alpha');
    const error = await faultOf(
      openToken(
        { ...options, environment: { ...options.environment, SOFTHSM2_CONF: '/nowhere/softhsm2.conf' } },
        random,
      ),
    );
    expect(['module_unusable', 'token_not_found']).toContain(error.code);
    expect(error.hint).toBeDefined();
  });
});

describe('a URI', () => {
  it.each([
    ['pkcs11:token=gamma', 'token_not_found'],
    ['pkcs11:token=Alpha', 'token_not_found'],
    ['pkcs11:token=alpha;x-color=blue', 'token_not_found'],
    ['pkcs11:', 'token_ambiguous'],
    ['pkcs11:model=SoftHSM%20v2', 'token_ambiguous'],
  ])('%s is %s, with the list of what is there and how to say which', async (text, code) => {
    const error = await faultOf(openUri(`${text}?module-path=${soft.module}`));
    expect(error.code).toBe(code);
    expect(error.message).toContain('"alpha" (serial ');
    expect(error.message).toContain('"beta" (serial ');
    const said = /'(pkcs11:[^']+)'/.exec(error.hint ?? '')?.[1] ?? '';
    expect(said).not.toContain('slot-id');
    const token = await openUri(said);
    await token.close();
  });

  it('names the unknown attribute of a URI', async () => {
    expect((await faultOf(openUri(`pkcs11:token=alpha;x-color=blue?module-path=${soft.module}`))).message).toContain(
      'x-color',
    );
  });

  it('refuses a URI that names a token which is not initialized', async () => {
    const listed = await listModule(soft.module, { environment: { ...process.env, ...soft.environment } });
    const free = listed.tokens.find(({ state }) => state.includes('not initialized'));
    expect(free?.uri).toBeUndefined();
    const error = await faultOf(
      openUri(
        `pkcs11:slot-description=${encodeURIComponent(free?.token.slotDescription ?? '')}?module-path=${soft.module}`,
      ),
    );
    expect(error.code).toBe('token_not_found');
    expect(error.message).toContain('not initialized');
  });
});

describe('a token', () => {
  it('a token of a kind that was never tried needs --untested-token', async () => {
    const profile = PROFILES.find(({ id }) => id === 'standard');
    if (profile === undefined) throw new Error('no such profile');
    const error = await faultOf(open(soft, 'alpha', { profile }));
    expect(error.hint).toContain('--untested-token');
    const token = await open(soft, 'alpha', { profile, allowUntested: true });
    await token.close();
  });

  it('a token without ML-DSA makes no composite key inside, and says what there is instead', async () => {
    const token = await open(soft, 'alpha');
    const error = await faultOf(
      token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'x', id: Uint8Array.of(1), purpose: 'license' }),
    );
    expect(error.code).toBe('configuration_invalid');
    expect(error.hint).toContain('hsm-wrapped');
    expect(await token.listKeys()).toEqual([]);
    await token.close();
  });
});

describe('a key', () => {
  let made: TestToken;
  let token: Token;
  let publicKey: PublicKey;
  let composite: PublicKey;
  beforeAll(async () => {
    made = makeKryoptic(['t']);
    for (const what of ['twin', 'mismatch', 'extractable']) plant(made, what);
    token = await open(made, 't');
    publicKey = (await token.generateKey({ alg: 'ed25519', label: 'ed', id: Uint8Array.of(1), purpose: 'license' })).key
      .publicKey;
    composite = (
      await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'both', id: Uint8Array.of(2), purpose: 'license' })
    ).key.publicKey;
  });
  afterAll(async () => {
    await token?.close();
    made?.remove();
  });
  const openKey = (label: string, key: PublicKey): Promise<unknown> =>
    token.openKey({ label, publicKey: key, purpose: 'license' });

  it('refuses a key that is not there', async () => {
    expect(await faultOf(openKey('nobody', publicKey))).toMatchObject({ code: 'key_not_found' });
  });

  it('refuses a key of which there are two with the same label and id', async () => {
    const error = await faultOf(token.openKey({ label: 'twin', id: Uint8Array.of(7), publicKey, purpose: 'license' }));
    expect(error.code).toBe('key_ambiguous');
    expect(error.message).toContain('2 private Ed25519 keys named "twin" with id 07');
  });

  it('refuses a key whose public key beside it is another’s', async () => {
    const shown =
      (await token.listKeys({ label: 'mismatch' })).find((key) => key.class === 'public')?.publicBytes ??
      new Uint8Array();
    const error = await faultOf(openKey('mismatch', importPublicKey('ed25519', shown)));
    expect(error.code).toBe('self_check_failed');
  });

  it('refuses a key that is another than the one on record', async () => {
    const error = await faultOf(openKey('ed', importPublicKey('ed25519', composite.ed25519)));
    expect(error.code).toBe('key_not_found');
    expect(error.message).toContain('has another public key');
  });

  it('refuses a key of Ed25519 offered as a composite', async () => {
    const error = await faultOf(openKey('ed', composite));
    expect(error.code).toBe('key_not_found');
    expect(error.message).toContain('has no private ML-DSA-65 key named "ed"; under this name it has an Ed25519 key');
  });

  it('refuses a key that is a component of a composite, offered as Ed25519 alone: a component is not a key', async () => {
    const error = await faultOf(openKey('both', importPublicKey('ed25519', composite.ed25519)));
    expect(error.code).toBe('configuration_invalid');
    expect(error.message).toContain('component of a composite key');
  });

  it('a key that can be read out is told by name', async () => {
    const [key] = (await token.listKeys({ label: 'extractable' })).filter((found) => found.class === 'private');
    if (key === undefined) throw new Error('not planted');
    expect(await token.readableSecrets(key)).toEqual(['CKA_VALUE']);
  });
});

it('each kind has its exit code and a sentence of its own', () => {
  const exits = [
    ['a module that is not a library', 5],
    ['a module that is a library, but not PKCS#11', 5],
    ['a URI that names a token which is not initialized', 5],
    ['a URI pkcs11:token=gamma is token_not_found', 5],
    ['a URI pkcs11: is token_ambiguous', 5],
    ['a token without ML-DSA', 2],
    ['a key that is not there', 5],
    ['a key of which there are two', 5],
    ['a key whose public key beside it', 17],
    ['a key that is another than the one on record', 5],
    ['a key of Ed25519 offered as a composite', 5],
    ['a key that is a component of a composite', 2],
  ] as const;
  const sentences = exits.map(([name, exit]) => {
    const found =
      [...told].find(([test]) => test.replaceAll(' > ', ' ').includes(name))?.[1] ?? `${name}: nothing was told`;
    expect(found).toMatch(new RegExp(`^${exit} `));
    return found.replace(/"[^"]*"|'[^']*'|[0-9a-f]{16,}|\/\S+/g, '_');
  });
  expect(new Set(sentences).size).toBe(exits.length);
});
