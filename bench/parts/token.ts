/** Issuing with the test token (kryoptic, which has ML-DSA): both private keys in it, four requests in flight. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '../../formats/bytes.ts';
import { generateInToken } from '../../signer/keys/token-keystore.ts';
import { TokenPool } from '../../signer/keys/token-pool.ts';
import { benchWorld, freshFolder } from './batch-site.ts';
import { compareIssuing } from './issuing.ts';
import type { Part } from './report.ts';

const ROOT = join(import.meta.dirname, '../..');
const PIN = 'pin-of-the-bench-4862';

/** The module's path, or why there is none. */
function testToken(): { readonly module: string } | { readonly why: string } {
  const built = spawnSync(process.execPath, [join(ROOT, 'test/tokens/build-kryoptic.ts')], { encoding: 'utf8' });
  return built.status === 0 ? { module: built.stdout.trim() } : { why: built.stderr.trim().split('\n').at(-1) ?? 'the test token cannot be built' };
}

/** @returns a part without figures where this machine has no test token */
export async function measureToken(licenses: number): Promise<Part> {
  const name = 'Issuing with a token (kryoptic)';
  const token = testToken();
  if ('why' in token) return { name, rows: [], ratios: [], notes: [`not measured: ${token.why}`] };
  const folder = freshFolder();
  const conf = join(folder, 'token.conf');
  writeFileSync(conf, `[ec_point_encoding]\nencoding = "Bytes"\n\n[[slots]]\nslot = 1\ndbtype = "sqlite"\ndbargs = "${join(folder, 'token.sql')}"\n`);
  process.env['KRYOPTIC_CONF'] = conf;
  const made = spawnSync(process.execPath, [join(ROOT, 'test/token/support/init-token.ts'), token.module, 'bench', 'so-pin-of-the-bench', PIN], { encoding: 'utf8', env: { ...process.env } });
  if (made.stdout !== 'done\n') return { name, rows: [], ratios: [], notes: [`not measured: the token was not initialized: ${made.stderr.trim()}`] };
  const store = { type: 'pkcs11', name: 'bench', uri: `pkcs11:token=bench?module-path=${token.module}` } as const;
  const tokens = new TokenPool(benchWorld);
  const { key } = await generateInToken([store], { name: 'bench', algorithm: 'ed25519+ml-dsa-65', job: 'license', keystore: 'bench', wrapped: false, makeDefault: false }, { secrets: { asks: () => false, take: () => Promise.resolve(utf8(PIN)) }, tokens, world: benchWorld }, '00'.repeat(16));
  try {
    const found = await compareIssuing(key, licenses, 'composite, token');
    return {
      name,
      rows: found.rows,
      ratios: [{ what: 'composite on a token: issuing ÷ bare loop', value: found.ratio, atLeast: 0.8 }],
      notes: ['the bare loop goes through the token host too, as every signature does'],
    };
  } finally {
    await key.close();
    await tokens.close();
  }
}
