/**
 * A ledger on a small file system that fills up, mounted at FOLDER/disk for whoever starts this to unmount; prints
 * what it saw as JSON.
 *
 *   node full-disk-scenario.ts FOLDER
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLedger } from '../../../../signer/ledger/create.ts';
import { openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { ISS, issueNext, writerOptions } from './ledger-inputs.ts';

const DISK_BYTES = 5_000_000;
const FREE_BYTES = 700_000;

const disk = join(process.argv[2] ?? '', 'disk');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]);
const ballast = join(disk, 'ballast');
writeFileSync(ballast, Buffer.alloc(DISK_BYTES - FREE_BYTES));
const path = join(disk, 'site', 'ledger.sqlite');
mkdirSync(join(disk, 'site'));
await createLedger(path, { ...writerOptions(), iss: ISS, anchor: { kind: 'file', path: join(disk, 'anchor') } });
const child = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'ledger-child.ts'), 'append', path, '2000', 'survive'],
  { encoding: 'utf8' },
);
rmSync(ballast);
const ledger = await openLedgerForWriting(path, writerOptions());
const { head } = await ledger.verify();
issueNext(ledger);
await ledger.anchor();
ledger.close();
process.stdout.write(
  `${JSON.stringify({ out: child.stdout.split('\n').filter((line) => line !== ''), entries: head.entries })}\n`,
);
