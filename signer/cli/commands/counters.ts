/**
 * `vtlic counters export | import | reopen`: who may issue for whom goes from one ledger to another, so that no counter
 * is used twice.
 */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { addCountersExport } from './counters-export.ts';
import { addCountersImport } from './counters-import.ts';
import { addCountersReopen } from './counters-reopen.ts';

export function defineCounters(counters: Command, io: Io): void {
  addCountersExport(counters, io);
  addCountersImport(counters, io);
  addCountersReopen(counters, io);
}
