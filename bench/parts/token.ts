/**
 * The test token (kryoptic, which has ML-DSA), both private keys in it: the toolkit's keystore and issuing beside the
 * bare in-process loop.
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '../../formats/bytes.ts';
import { openToken, type Token } from '../../keys/private/pkcs11/client/index.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { BareJob } from '../bare-token-child.ts';
import { benchRuntime, freshFolder } from './batch-site.ts';
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
  readonly sign: (count: number) => Promise<number>;
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
    sign: async (count) => Number(await answer({ count })),
    close: () => child.disconnect(),
  };
}

interface Opened {
  readonly token: Token;
  readonly key: SigningKey;
}

async function openWithNewKey(module: string): Promise<Opened> {
  const token = await openToken(
    {
      uri: parsePkcs11Uri(`pkcs11:token=bench?module-path=${module}`),
      pin: () => Promise.resolve(utf8(PIN)),
    },
    benchRuntime.random,
  );
  const { key } = await token.generateKey({ label: 'bench', id: ID, purpose: 'license', alg: 'ed25519+ml-dsa-65' });
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

  const { token, key } = await openWithNewKey(module);
  const bare = await bareLoop(module);
  try {
    const { message } = await signExample(freshKey(key.publicKey.alg));
    const samples = await takeTurns(
      [
        { name: 'bare', run: async (count) => void (await bare.sign(count)) },
        { name: 'toolkit', run: (count) => signMany(key, message, IN_FLIGHT, count) },
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
    // A batch takes seconds: each is compared with the bare loops before and after it.
    const bareRate = async (): Promise<number> => (BARE_SIGNATURES / (await bare.sign(BARE_SIGNATURES))) * 1000;
    const issuing: number[] = [];
    const beside = [await bareRate()];
    const ratios: number[] = [];
    for (let round = 0; round < ISSUING_ROUNDS; round++) {
      const issued = await issuingRate(key, licenses);
      const [before, after] = [beside.at(-1) ?? issued, await bareRate()];
      issuing.push(issued);
      beside.push(after);
      ratios.push((2 * issued) / (before + after));
    }
    return {
      name: NAME,
      rows: [
        { what: 'bare loop in one process', value: rate('bare'), unit: 'composite signatures a second' },
        { what: "the toolkit's keystore", value: rate('toolkit'), unit: 'composite signatures a second' },
        {
          what: 'bare loop in one process, beside the batches',
          value: median(beside),
          unit: 'composite signatures a second',
        },
        { what: `issuing in a batch of ${licenses}`, value: median(issuing), unit: 'licenses a second' },
      ],
      ratios: [
        { what: 'token: keystore ÷ bare loop', value: ratioOfRounds(sampleOf('toolkit'), sampleOf('bare')) },
        { what: 'token: issuing ÷ bare loop', value: median(ratios), atLeast: 0.8 },
      ],
      notes: [
        "the keystore's signatures go through the token host and its pipe, four requests in flight",
        'the bare loop is pkcs11js in a process of its own, with nothing around it',
      ],
    };
  } finally {
    bare.close();
    await token.close();
  }
}
