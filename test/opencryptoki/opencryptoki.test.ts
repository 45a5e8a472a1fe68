/**
 * The steps that the simulated device goes through in `npm run test:token`, with the module itself: what is written
 * down about openCryptoki in `test/support/tokens/behaviors/opencryptoki.ts` is compared with it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { knownModules } from '../../signer/hsm/diagnose.ts';
import { DeviceSite } from '../pkcs11/support/device-site.ts';
import { officerSteps } from '../pkcs11/support/officer-steps.ts';
import type { TestToken } from '../pkcs11/support/test-token.ts';
import type { Behavior } from '../support/tokens/behaviors/behavior.ts';
import { opencryptoki } from '../support/tokens/behaviors/opencryptoki.ts';

/** Nothing is simulated: the proxy only counts logins. */
const real: Behavior = { ...opencryptoki, device: [] };

/** The token that `start.sh` made; it is empty. */
function theToken(): TestToken {
  const module = knownModules().find((path) => path.includes('opencryptoki'));
  if (module === undefined) throw new Error('openCryptoki is not installed: npm run test:opencryptoki makes its place');
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-opencryptoki-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { module, environment: {}, pin: real.pin, folder, remove };
}

describe('openCryptoki itself', () => {
  officerSteps(real, () => new DeviceSite(real, theToken()));
});
