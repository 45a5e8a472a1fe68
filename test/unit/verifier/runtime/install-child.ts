/**
 * `node install-child.ts FOLDER [FILE]`: starts the product of the folder in production, installs the file where one is
 * named, and prints what came of both.
 */
import { readFileSync } from 'node:fs';
import { VtlicError } from '../../../../formats/error.ts';
import type { LiveLicense, Notice } from '../../../../verifier/runtime/index.ts';
import { openProduct } from '../../../crash/runtime/product-on-disk.ts';

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

const license = await start();
if (license !== undefined && file !== undefined) {
  const result = await license.install(readFileSync(file, 'utf8'));
  process.stdout.write(result.ok ? result.outcome : `${result.refusal.code}: ${result.refusal.detail}`);
} else if (license !== undefined) process.stdout.write(`${license.state} ${license.view().license?.counter ?? ''}`);
await license?.close();
