/** The test token (kryoptic, which has ML-DSA), both private keys in it: the toolkit's keystore and issuing beside the bare in-process loop. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '../../formats/bytes.ts';
import { openToken, type Token } from '../../keys/private/pkcs11/client/token.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { BareJob } from '../bare-token-child.ts';
import { benchWorld, freshFolder } from './batch-site.ts';
import { freshKey, signExample } from './example.ts';
import { issuingRate, signMany } from './issuing.ts';
import { median, ratioOfRounds, takeTurns, type Sample } from './measure.ts';
import type { Part } from './report.ts';

const ROOT = join(import.meta.dirname, '../..');
const PIN = 'pin-of-the-bench-4862';
const ID = Uint8Array.of(0xbe, 0x1c);

const ROUNDS = 50;
const ROUND_MS = 250;
const ISSUING_ROUNDS = 7;
const BARE_SIGNATURES = 3000;
const IN_FLIGHT = 4;
const NAME = 'Signing and issuing with a token (kryoptic)';

/** The module's path, or why there is none. */
function testToken(): { readonly module: string } | { readonly why: string } {
  const built = spawnSync(process.execPath, [join(ROOT, 'test/support/tokens/build-kryoptic.ts')], {
    encoding: 'utf8',
  });
  return built.status === 0
    ? { module: built.stdout.trim() }
    : { why: built.stderr.trim().split('\n').at(-1) ?? 'the test token cannot be built' };
}

interface BareLoop {
  /** Makes so many composite signatures. @returns milliseconds */
  readonly sign: (count: number, sessions: number) => Promise<number>;
  readonly close: () => void;
}

async function bareLoop(module: string): Promise<BareLoop> {
  const child = fork(join(ROOT, 'bench/bare-token-child.ts'), [module, toHex(ID)], { serialization: 'advanced' });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the bare loop ended')));
  ended.catch(() => undefined);
  const answer = async (said: string | BareJob): Promise<unknown> => {
    const heard = new Promise((resolve) => child.once('message', resolve));
    child.send(said);
    return Promise.race([heard, ended]);
  };
  await answer(PIN);
  return {
    sign: async (count, sessions) => Number(await answer({ count, sessions })),
    close: () => child.disconnect(),
  };
}

interface Opened {
  readonly token: Token;
  readonly key: SigningKey;
}

async function openWith(module: string, sessions: number, made: SigningKey | undefined): Promise<Opened> {
  const token = await openToken(
    {
      uri: parsePkcs11Uri(`pkcs11:token=bench?module-path=${module}`),
      pin: () => Promise.resolve(utf8(PIN)),
      sessions,
    },
    benchWorld.random,
  );
  const name = { label: 'bench', id: ID, purpose: 'license' as const };
  const key =
    made === undefined
      ? (await token.generateKey({ ...name, alg: 'ed25519+ml-dsa-65' })).key
      : await token.openKey({ ...name, publicKey: made.publicKey });
  return { token, key };
}

/** @returns a part without figures where this machine has no test token */
export async function measureToken(licenses: number): Promise<Part> {
  const unmeasured = (why: string): Part => ({ name: NAME, rows: [], ratios: [], notes: [`not measured: ${why}`] });
  const found = testToken();
  if ('why' in found) return unmeasured(found.why);
  const { module } = found;
  const folder = freshFolder();
  const conf = join(folder, 'token.conf');
  writeFileSync(
    conf,
    `[ec_point_encoding]\nencoding = "Bytes"\n\n[[slots]]\nslot = 1\ndbtype = "sqlite"\ndbargs = "${join(folder, 'token.sql')}"\n`,
  );
  process.env['KRYOPTIC_CONF'] = conf;
  const made = spawnSync(
    process.execPath,
    [join(ROOT, 'test/pkcs11/support/init-token.ts'), module, 'bench', 'so-pin-of-the-bench', PIN],
    { encoding: 'utf8' },
  );
  if (made.stdout !== 'done\n') return unmeasured(`the token was not initialized: ${made.stderr.trim()}`);

  const one = await openWith(module, 1, undefined);
  const four = await openWith(module, 4, one.key);
  const bare = await bareLoop(module);
  try {
    const { message } = await signExample(freshKey(one.key.publicKey.alg));
    const toolkit =
      (key: SigningKey) =>
      (count: number): Promise<void> =>
        signMany(key, message, IN_FLIGHT, count);
    const samples = await takeTurns(
      [
        { name: 'bareOne', run: async (count) => void (await bare.sign(count, 1)) },
        { name: 'one', run: toolkit(one.key) },
        { name: 'bareFour', run: async (count) => void (await bare.sign(count, 4)) },
        { name: 'four', run: toolkit(four.key) },
      ],
      { rounds: ROUNDS, roundMs: ROUND_MS },
    );
    // An ML-DSA signature takes a random time, so that the fastest rounds are those of lucky signatures.
    const sampleOf = (name: string): Sample => {
      const found = samples.find((sample) => sample.name === name);
      if (found === undefined) throw new Error(`no loop ${name}`);
      return found;
    };
    const rate = (name: string): number => sampleOf(name).middle;
    // A batch takes seconds: each stands beside the bare loops before and after it.
    const bareRate = async (): Promise<number> => (BARE_SIGNATURES / (await bare.sign(BARE_SIGNATURES, 1))) * 1000;
    const issuing: number[] = [];
    const beside = [await bareRate()];
    const ratios: number[] = [];
    for (let round = 0; round < ISSUING_ROUNDS; round++) {
      const issued = await issuingRate(one.key, licenses);
      const [before, after] = [beside.at(-1) ?? issued, await bareRate()];
      issuing.push(issued);
      beside.push(after);
      ratios.push((2 * issued) / (before + after));
    }
    return {
      name: NAME,
      rows: [
        {
          what: 'bare loop in one process, one session',
          value: rate('bareOne'),
          unit: 'composite signatures a second',
        },
        { what: "the toolkit's keystore, one session", value: rate('one'), unit: 'composite signatures a second' },
        {
          what: 'bare loop in one process, four sessions',
          value: rate('bareFour'),
          unit: 'composite signatures a second',
        },
        { what: "the toolkit's keystore, four sessions", value: rate('four'), unit: 'composite signatures a second' },
        {
          what: 'bare loop in one process, one session, beside the batches',
          value: median(beside),
          unit: 'composite signatures a second',
        },
        { what: `issuing in a batch of ${licenses}, one session`, value: median(issuing), unit: 'licenses a second' },
      ],
      ratios: [
        {
          what: 'token: keystore ÷ bare loop, one session',
          value: ratioOfRounds(sampleOf('one'), sampleOf('bareOne')),
          atLeast: 0.9,
        },
        {
          what: 'token: keystore ÷ bare loop, four sessions',
          value: ratioOfRounds(sampleOf('four'), sampleOf('bareFour')),
        },
        { what: 'token: issuing ÷ bare loop, one session each', value: median(ratios), atLeast: 0.8 },
      ],
      notes: [
        "the keystore's signatures go through the token host and its pipe, four requests in flight",
        'the bare loop is pkcs11js in a process of its own, with nothing around it',
      ],
    };
  } finally {
    bare.close();
    await one.token.close();
    await four.token.close();
  }
}
