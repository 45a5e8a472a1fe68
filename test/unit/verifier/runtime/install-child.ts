/**
 * `node install-child.ts FOLDER [FILE|check]`: starts the product of the folder in production, installs the file where
 * one is named, and prints the results of both; or asks how it would start, without starting it.
 */
import { readFileSync } from 'node:fs';
import { VtlicError } from '../../../../formats/error.ts';
import { checkLicense, type LiveLicense, type Notice } from '../../../../verifier/runtime/index.ts';
import { openProduct, optionsOf } from '../../../crash/runtime/product-on-disk.ts';

const [folder = '', file] = process.argv.slice(2);

async function start(): Promise<LiveLicense | undefined> {
  try {
    return await openProduct(folder);
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'license_refused') throw error;
    const { code, detail } = error.cause as Notice;
    process.stdout.write(`start refused: ${code}: ${detail}`);
    return undefined;
  }
}

async function check(): Promise<string> {
  const { view, refusal } = await checkLicense(optionsOf(folder));
  if (refusal === undefined) return `check: ${view.state} ${view.license?.counter ?? ''}`;
  return `check: ${refusal.code}: ${refusal.detail}, install ${view.installFault?.code ?? 'possible'}`;
}

async function startAndInstall(): Promise<void> {
  const license = await start();
  if (license === undefined) return;
  if (file === undefined) process.stdout.write(`${license.state} ${license.view().license?.counter ?? ''}`);
  else {
    const result = await license.install(readFileSync(file, 'utf8'));
    process.stdout.write(result.ok ? result.outcome : `${result.refusal.code}: ${result.refusal.detail}`);
  }
  await license.close();
}

if (file === 'check') process.stdout.write(await check());
else await startAndInstall();
