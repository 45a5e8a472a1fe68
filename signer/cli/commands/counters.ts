/**
 * `vtlic counters export | import | reopen`: who may issue for whom goes from one ledger to another, so that no counter
 * is used twice.
 */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { addCountersExport } from './counters-export.ts';
import { addCountersImport } from './counters-import.ts';
import { addCountersReopen } from './counters-reopen.ts';

export function addCounters(program: Command, io: Io): void {
  const counters = program
    .command('counters')
    .description('hands counters over to another ledger, and takes them over');
  addCountersExport(counters, io);
  addCountersImport(counters, io);
  addCountersReopen(counters, io);
}
