/**
 * Every way out that a message about tokens names leads where it says: the message is provoked, and its commands are
 * run as they are printed. Each describe block is a device; the last test compares with the texts in the source.
 */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../support/exit-codes.ts';
import { CONSENTING, runHere, type RanHere } from '../support/run-here.ts';
import { writeProtectedCard } from '../support/tokens/behaviors/another-token.ts';
import { cloudhsm } from '../support/tokens/behaviors/cloudhsm.ts';
import { kryoptic } from '../support/tokens/behaviors/kryoptic.ts';
import { nethsm } from '../support/tokens/behaviors/nethsm.ts';
import { softhsm } from '../support/tokens/behaviors/softhsm.ts';
import { yubihsm2 } from '../support/tokens/behaviors/yubihsm2.ts';
import { DeviceSite } from './support/device-site.ts';
import {
  adopt,
  commandsOf,
  deviceOf,
  doctor,
  generate,
  issue,
  leads,
  printed,
  provoked,
  text,
} from './support/following.ts';
import { commandsIn, follow, followTool, hintsOfSource } from './support/hints.ts';
import { useQuickHosts } from './support/quick-hosts.ts';

useQuickHosts();

describe('on SoftHSM', () => {
  let second: DeviceSite;
  beforeAll(() => {
    second = new DeviceSite({ ...kryoptic, label: 'second' });
    writeFileSync(join(second.folder, 'pin'), second.behavior.pin);
  });
  afterAll(() => second?.remove());
  const device = deviceOf(softhsm, () => ['--keystore', `m=${second.uri}`]);
  const secrets = (): readonly string[] => ['--secret', `m=file:${second.pinFile}`];
  const fail = (...faults: readonly string[]): void => device().token.setFaults(faults);
  afterEach(() => fail());
  const ID = '6b31';

  it('a token without a key of the site: one is made as the doctor says', async () => {
    const hints = await provoked(doctor(device()), EXIT.done);
    const [command = ''] = commandsOf(hints, 'make a key in this token');
    // The default is a composite key, which this token cannot keep: that hint is followed below.
    const done = await follow(device(), `${command} --wrapped`, { NAME: 'first', KEYSTORE: 'h' });
    expect(text(done)).toMatch(/^0 /);
  });

  it('a custody that does not fit the key is refused, and the hint names what does', async () => {
    const refused = (...options: readonly string[]): Promise<readonly string[]> =>
      provoked(generate(device(), 'odd', '--keystore', 'h', '--wrapped', ...options), EXIT.usage);
    expect((await refused('--ml-dsa-keystore', 'm')).join()).toContain('use --wrapped for one token');
    expect((await refused('--algorithm', 'ed25519')).join()).toContain('--algorithm ed25519+ml-dsa-65');
  });

  it('a composite key is made in the two custodies that are named instead', async () => {
    const hints = await provoked(generate(device(), 'composite', '--keystore', 'h'), EXIT.usage);
    const options = [...(hints[0] ?? '').matchAll(/--[a-z][a-z-]*(?: [A-Z]+)?/g)].map(([option]) => option.split(' '));
    expect(options).toEqual([['--wrapped'], ['--ml-dsa-keystore', 'KEYSTORE']]);
    for (const [i, option] of options.entries()) {
      const given = option.map((word) => (word === 'KEYSTORE' ? 'm' : word));
      const more = given.includes('m') ? secrets() : [];
      expect(text(await generate(device(), `composite-${i}`, '--keystore', 'h', ...given, ...more))).toMatch(/^0 /);
    }
  });

  it('the whole split key is tried by the command that the doctor names', async () => {
    const hints = await provoked(doctor(device()), EXIT.done);
    const [command = ''] = commandsOf(hints, 'try the whole key with');
    const done = await device().run([...command.split(' ').slice(1), ...secrets()]);
    expect(text(done)).toMatch(/^0 /);
  });

  it('a name that the site or the token has already is taken under another one', async () => {
    device().makeAdoptable('taken', ID);
    for (const [name, code] of [
      ['first', EXIT.usage],
      ['taken', EXIT.notFound],
    ] as const) {
      const hints = await provoked(generate(device(), name, '--keystore', 'h', '--algorithm', 'ed25519'), code);
      expect(hints[0]).toMatch(/take another name: --name NAME/);
    }
    expect(text(await generate(device(), 'free', '--keystore', 'h', '--algorithm', 'ed25519'))).toMatch(/^0 /);
  });

  it('a key that is not found is seen in the list, and adopted by the id there', async () => {
    const hints = await provoked(adopt(device(), 'k', '--id', '0909'), EXIT.notFound);
    const listed = await leads(device(), hints, 'see what is there');
    expect(listed).toContain(`"taken"  id ${ID}`);
    const other = await provoked(adopt(device(), 'k', '--id', ID, '--algorithm', 'ed25519+ml-dsa-65'), EXIT.notFound);
    expect(other[0]).toBe('leave --algorithm out, or name another key with --id HEX');
    expect(text(await adopt(device(), 'adopted', '--id', ID))).toMatch(/^0 /);
    const again = await provoked(adopt(device(), 'again', '--id', ID), EXIT.usage);
    const [, name = ''] = /^sign with it: --key (\S+)$/.exec(again[0] ?? '') ?? [];
    expect(text(await issue(device(), '--key', name))).toMatch(/^0 /);
  });

  it('one of two keys with one label is adopted by its id', async () => {
    for (const id of ['71', '72']) device().makeAdoptable('double', id);
    const hints = await provoked(adopt(device(), 'double', '--label', 'double'), EXIT.notFound);
    expect(hints[0]).toMatch(/^say which by its id \(--id HEX\)/);
    expect(text(await adopt(device(), 'double', '--id', '71'))).toMatch(/^0 /);
  });

  it('a signature that was not made: the doctor passes, and the next run signs', async () => {
    fail('C_Sign 0 rv 0x30');
    const hints = await provoked(issue(device()), EXIT.signingFailed);
    fail();
    await leads(device(), hints, 'then run again');
    fail('C_Sign 0 length 63');
    const wrong = await provoked(issue(device()), EXIT.signingFailed);
    fail();
    await leads(device(), wrong, 'the signature was thrown away');
    expect(text(await issue(device()))).toMatch(/^0 /);
  });

  it('a login that failed is looked into without a PIN', async () => {
    fail('C_Login 0 rv 0x5');
    const hints = await provoked(issue(device()), EXIT.signingFailed);
    const logins = device().logins().length;
    expect(await leads(device(), hints, 'before you enter the PIN again')).toContain('"vendor"');
    expect(device().logins()).toHaveLength(logins);
  });

  it('a generation that failed is looked into', async () => {
    fail('C_GenerateKeyPair 0 rv 0x30');
    const hints = await provoked(
      generate(device(), 'failed', '--keystore', 'h', '--algorithm', 'ed25519'),
      EXIT.signingFailed,
    );
    expect(await leads(device(), hints, 'before you try again')).not.toContain('"failed"');
  });

  it('what a generation left in the token is removed by the commands that it names', async () => {
    const before = device().objects();
    fail('C_Sign 1 flip', 'C_DestroyObject 0 rv 0x1b');
    const hints = await provoked(generate(device(), 'left', '--keystore', 'h', '--wrapped'), EXIT.selfCheck);
    fail();
    expect(device().objects().length).toBeGreaterThan(before.length + 2);
    const commands = commandsOf(hints, 'remove it: ');
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) expect(followTool(device(), command)).toMatchObject({ code: 0 });
    expect(device().objects()).toEqual(before);
  });

  it('what a list shows as unknown is removed by its command, keys and data objects', async () => {
    const before = device().objects();
    device().makeAdoptable('stranger', '7a7a');
    fail('C_CreateObject 1 late 0x30', 'C_DestroyObject 0 rv 0x1b');
    const hints = await provoked(adopt(device(), 'stranger', '--id', '7a7a'), EXIT.signingFailed);
    fail();
    for (const command of commandsOf(hints, '--type data'))
      expect(followTool(device(), command)).toMatchObject({ code: 0 });
    const listed = await device().run(['hsm', 'keys', 'h']);
    printed.push(text(listed));
    const commands = commandsIn(listed.stdout).filter((command) => command.includes('7a7a'));
    expect(commands).toHaveLength(2);
    for (const command of commands) expect(followTool(device(), command)).toMatchObject({ code: 0 });
    expect(device().objects()).toEqual(before);
  });

  it('a token that is named by its URI, and a keystore without its site, are listed as the texts say', async () => {
    const bare = ['hsm', 'keys', device().uri, '--secret', `token=file:${device().pinFile}`];
    const unmarked = await runHere(bare);
    printed.push(text(unmarked));
    expect(unmarked.stdout).toContain('name it with --site DIR');
    expect((await runHere([...bare, '--site', device().site])).stdout).toContain('      first\n');
    for (const command of ['keys', 'doctor']) {
      const hints = await provoked(runHere(['hsm', command, 'h']), EXIT.usage);
      await leads(device(), hints, 'name the site', { DIR: device().site });
    }
  });

  it('a key that is no longer in the token is looked for by the command that issue and doctor name', async () => {
    device().destroy(ID);
    const failed = await provoked(doctor(device()), EXIT.checksFailed);
    expect(await leads(device(), failed, 'see what is there')).not.toContain(`id ${ID}`);
    const hints = await provoked(issue(device(), '--key', 'adopted'), EXIT.notFound);
    await leads(device(), hints, 'see what is there');
  });
});

describe('on devices that can do less', () => {
  const yubi = deviceOf(yubihsm2);
  const net = deviceOf(nethsm);
  const card = deviceOf(writeProtectedCard);
  const cloud = deviceOf(cloudhsm);

  it('a token that was never tried: the doctor says what works, and the option makes the key', async () => {
    const secret = ['--secret', `h=file:${yubi().pinFile}`, '--site', yubi().site];
    const command = ['key', 'generate', '--name', 'k', '--algorithm', 'ed25519', ...secret];
    const hints = await provoked(runHere(command), EXIT.usage);
    expect(await leads(yubi(), hints, 'see what works')).toContain('key generate: will make ed25519:');
    const [, option = ''] = /add (--\S+) if/.exec(hints[0] ?? '') ?? [];
    expect(text(await runHere([...command, option]))).toMatch(/^0 /);
  });

  it('a token without ML-DSA and AES-GCM names split custody, and the longest name that it takes', async () => {
    for (const more of [['--wrapped'], []])
      expect((await provoked(generate(yubi(), 'x', ...more), EXIT.usage))[0]).toBe(
        'keep the ML-DSA component in another token: --ml-dsa-keystore KEYSTORE',
      );
    const long = await provoked(generate(yubi(), 'x'.repeat(41), '--algorithm', 'ed25519'), EXIT.usage);
    expect(long[0]).toBe('give the key another name: --name NAME');
    expect(text(await generate(yubi(), 'x'.repeat(40), '--algorithm', 'ed25519'))).toMatch(/^0 /);
    const full = yubi().run(['key', 'generate', '--name', 'y', '--algorithm', 'ed25519'], {
      random: (length) => new Uint8Array(length),
    });
    expect(await leads(yubi(), await provoked(full, EXIT.notFound), 'remove keys that nobody uses')).toContain('"k"');
  });

  it.each([
    ['NetHSM', net, nethsm],
    ['a write-protected card', card, writeProtectedCard],
  ] as const)(
    'a pair is made with the tool of the maker, and adopted as generation and doctor say: %s',
    async (_, device, behavior) => {
      const { label, id } = behavior.adopts ?? { label: '', id: '' };
      const examined = await provoked(doctor(device()), EXIT.done);
      device().makeAdoptable(label, id);
      const generated =
        device() === net() ? await provoked(generate(device(), 'k', '--algorithm', 'ed25519'), EXIT.usage) : [];
      const commands = [...examined, ...generated]
        .flatMap(commandsIn)
        .filter((command) => command.startsWith('vtlic key adopt'));
      expect(commands.length).toBeGreaterThan(0);
      expect(new Set(commands).size).toBe(1);
      const done = await follow(device(), commands[0] ?? '', { NAME: 'adopted', KEYSTORE: 'h', HEX: id });
      expect(text(done)).toMatch(/^0 /);
    },
  );

  it('a token whose mechanisms are unknown is judged by the doctor', async () => {
    const hints = await provoked(generate(cloud(), 'k', '--algorithm', 'ed25519'), EXIT.usage);
    const [command = ''] = commandsOf(hints, 'take another token');
    const done = await follow(cloud(), command, { KEYSTORE: 'h' });
    expect(text(done)).toMatch(/^19 [^]*the token lists no mechanism for Ed25519/);
  });
});

/** Texts that are followed in another file. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'a keystore declares it in site.json, a command by --env': 'surroundings.test.ts',
  'name the token: --last-try': 'behaviors.test.ts',
};
/** Texts that the modules which are here do not provoke; their commands are run all the same. */
const NOT_PROVOKED: readonly string[] = [
  'name the token of the Ed25519 component with --keystore',
  'take another token for one of the components',
  'nothing is signed until ledger and anchor agree',
  'name a key with the purpose license',
  'retire it instead',
  'this keystore is a folder of files',
  'name a keystore that is a token',
];

describe('on kryoptic', () => {
  const device = deviceOf(kryoptic);

  it('a key that another ledger has claimed is used there, and a new one is made here', async () => {
    device().makeAdoptable('shared', '0a0b');
    expect(text(await adopt(device(), 'shared', '--id', '0a0b'))).toMatch(/^0 /);
    const other = device().another();
    try {
      expect(await other.init()).toMatchObject({ code: 0 });
      const hints = await provoked(adopt(other, 'shared', '--id', '0a0b'), EXIT.ledgerRefused);
      await leads(other, hints, 'make a new key here', { NAME: 'own' });
    } finally {
      other.remove();
    }
  });

  it('a component of a composite key, named as a key in site.json, is replaced by a key of its own', async () => {
    expect(text(await generate(device(), 'both'))).toMatch(/^0 /);
    const file = join(device().site, 'site.json');
    const before = readFileSync(file, 'utf8');
    type Record = { readonly name: string; readonly object: object };
    const site = JSON.parse(before) as { keys: readonly Record[] };
    const both = site.keys.find(({ name }) => name === 'both')?.object;
    const change = (object: object | undefined): void =>
      writeFileSync(
        file,
        JSON.stringify({ ...site, keys: site.keys.map((key) => (key.name === 'shared' ? { ...key, object } : key)) }),
      );
    change(both);
    const hints = await provoked(device().run(['key', 'check', 'shared']), EXIT.usage);
    await leads(device(), hints, 'make an Ed25519 key of its own', { NAME: 'single' });
    const single = (JSON.parse(readFileSync(file, 'utf8')) as { keys: readonly Record[] }).keys.at(-1)?.object;
    change(single);
    const wrong = await provoked(device().run(['key', 'check', 'shared']), EXIT.notFound);
    expect(await leads(device(), wrong, 'the right token is plugged in')).toContain('"single"');
    writeFileSync(file, before);
  });

  it('a PIN in a URI is given as its hint says', async () => {
    const site = join(device().folder, 'pin-source');
    const init = (uri: string): Promise<RanHere> =>
      runHere(['init', site, '--issuer', 'example-vendor', '--keystore', `h=${uri}`]);
    const hints = await provoked(init(`${device().uri}&pin-value=${device().behavior.pin}`), EXIT.usage);
    expect(hints[0]).toMatch(/pin-source=file:\/PATH/);
    expect(text(await init(`${device().uri}&pin-source=file:${device().pinFile}`))).toMatch(/^0 /);
    expect(text(await runHere(['key', 'generate', '--name', 'k', '--site', site]))).toMatch(/^0 /);
    chmodSync(device().pinFile, 0o644);
    const open = await provoked(runHere(['hsm', 'doctor', 'h', '--site', site]), EXIT.usage);
    for (const command of commandsOf(open, 'run: chmod'))
      chmodSync(command.split(' ')[2] ?? '', Number.parseInt(command.split(' ')[1] ?? '', 8));
    expect(statSync(device().pinFile).mode & 0o777).toBe(0o600);
    expect(text(await runHere(['hsm', 'doctor', 'h', '--site', site]))).toMatch(/^0 /);
  });

  it('a variable that looks like a secret is refused, and the secret is given by --secret', async () => {
    const refused = await runHere(['hsm', 'keys', device().uri, '--env', `TOKEN_PIN=${device().behavior.pin}`]);
    printed.push(text(refused));
    expect(text(refused)).toMatch(/^2 [^]*only by --secret/);
    expect(text(refused)).not.toContain(device().behavior.pin);
    expect(text(await runHere(['hsm', 'keys', device().uri, '--secret', `token=file:${device().pinFile}`]))).toMatch(
      /^0 /,
    );
  });

  it('an anchor in the token: what is damaged, unwritten or gone has its page in the help or its command', async () => {
    const anchored = await device().run(['ledger', 'anchor', '--to', 'token:h'], {}, CONSENTING);
    expect(text(anchored)).toMatch(/^0 /);
    device().token.setFaults(['C_CreateObject 0 rv 0x30']);
    const unwritten = await provoked(issue(device(), '--key', 'both'), EXIT.notWritten);
    device().token.setFaults([]);
    await leads(device(), unwritten, 'check the token');
    const file = join(device().site, 'site.json');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace(`token=${kryoptic.label}`, 'token=nobody'));
    const place = join(device().folder, 'anchor-file');
    const gone = await provoked(device().run(['ledger', 'anchor', '--to', place], {}, CONSENTING), EXIT.notFound);
    expect(await leads(device(), gone, 'lost or replaced')).toContain('vtlic ledger anchor');
    writeFileSync(file, before.replaceAll('"h"', '"other"'));
    const renamed = await provoked(runHere(['ledger', 'anchor', '--to', place, '--site', device().site]), EXIT.usage);
    expect(await leads(device(), renamed, 'as it was')).toContain('vtlic ledger anchor');
    writeFileSync(file, before);
  });

  it('no text of the source that names a command or an option was left out', async () => {
    const all = printed.join('\n');
    const unseen = hintsOfSource().filter(({ pattern }) => !pattern.test(all));
    const known = [...Object.keys(ELSEWHERE), ...NOT_PROVOKED];
    const left = unseen.filter((hint) => !known.some((words) => hint.text.includes(words)));
    expect(left.map((hint) => `${hint.file}: ${hint.text}`)).toEqual([]);
    const run = unseen.flatMap((hint) => commandsIn(hint.text.replaceAll(/\$\{[^}]*\}/g, 'both')));
    expect(run.length).toBeGreaterThan(2);
    for (const command of run) expect(`${command}: ${text(await follow(device(), command))}`).toMatch(/^[^:]*: 0 /);
  });
});
