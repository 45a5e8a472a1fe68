/** Walks through docs/rotation-tokens.md with real tokens: Ed25519 keys in SoftHSM, composite keys in kryoptic. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { yearWith } from '../../support/officers-year.ts';
import { ROOT } from '../../support/run-cli.ts';
import { walkDocument, type Walk, type Walked } from '../../support/walk-document.ts';
import { makeKryoptic } from './kryoptic.ts';
import { makeSofthsmWith } from './softhsm.ts';
import type { TestToken } from './test-token.ts';

export const ROTATION_WITH_TOKENS: string = join(ROOT, 'docs/rotation-tokens.md');
/** As the page shows the modules. */
const SHOWN = { softhsm: '/usr/lib/softhsm/libsofthsm2.so', kryoptic: '/opt/kryoptic/libkryoptic_pkcs11.so' } as const;

/** At the end of this day, the token `pq` of the page is dead. */
const LAST_DAY_OF_PQ = '2027-05-03';

/**
 * @param folder empty
 * @param watch is called with the kryoptic tokens
 */
export async function walkWithTokens(
  page: string,
  folder: string,
  watch: (kryoptic: TestToken) => Pick<Walk, 'afterStep' | 'endOfDay'> = () => ({}),
): Promise<Walked> {
  const walk = yearWith(0, folder);
  const softhsm = makeSofthsmWith(walk.passphrase, 'vendor', 'roots');
  const kryoptic = makeKryoptic(['pq', 'spare', 'root2', 'spare2'], 'Bytes', 'all', walk.passphrase);
  const here = (text: string): string =>
    text.replaceAll(SHOWN.softhsm, softhsm.module).replaceAll(SHOWN.kryoptic, kryoptic.module);
  const shown = (text: string): string =>
    text
      .replaceAll(kryoptic.module, SHOWN.kryoptic)
      .replaceAll(softhsm.module, SHOWN.softhsm)
      // Other tests on this machine load the same modules.
      .replaceAll(/^.*: another run \(process \d+\) is using .*\n/gm, '');
  try {
    const environment = { ...softhsm.environment, ...kryoptic.environment };
    const watched = watch(kryoptic);
    const endOfDay = async (nowMs: number): Promise<void> => {
      await watched.endOfDay?.(nowMs);
      if (new Date(nowMs).toISOString().startsWith(LAST_DAY_OF_PQ)) rmSync(join(kryoptic.folder, 'token1.sql'));
    };
    const { steps, document } = await walkDocument(here(page), { ...walk, environment, ...watched, endOfDay });
    return {
      steps: steps.map((step) => ({ ...step, shown: shown(step.shown), expected: shown(step.expected) })),
      document: shown(document),
    };
  } finally {
    softhsm.remove();
    kryoptic.remove();
  }
}
