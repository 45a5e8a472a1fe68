/** A token behind the fault proxy: the same token, and what goes wrong with it. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFaultProxy } from '../../support/tokens/build-fault-proxy.ts';
import type { TestToken } from './test-token.ts';

export interface FaultyToken extends TestToken {
  /** The calls so far, in their order, over all hosts. */
  readonly calls: () => readonly string[];
  /** A place in the list of calls, for `callsSince`. */
  readonly mark: () => number;
  readonly callsSince: (mark: number) => readonly string[];
  /**
   * Other faults than before, for hosts that start from now on: `C_Sign 1 hang`.
   *
   * @param once the path of a marker; only the first of the faults comes then
   */
  readonly setFaults: (faults: readonly string[], once?: string) => void;
  /** Contains the id of the host that a fault has stopped. */
  readonly stopped: string;
}

/**
 * @param lines of the proxy's configuration; `once` is the path of a marker by which a fault comes in the first host
 * alone
 */
export function faulty(made: TestToken, lines: readonly string[], once = false): FaultyToken {
  const folder = mkdtempSync(join(made.folder, 'proxy-'));
  const module = join(folder, 'libfault_proxy.so');
  const log = join(folder, 'calls.log');
  copyFileSync(ensureFaultProxy(), module);
  const write = (more: readonly string[]): void => {
    writeFileSync(
      join(folder, 'fault-proxy.conf'),
      [`target ${made.module}`, `log ${log}`, ...(once ? [`once ${join(folder, 'once')}`] : []), ...more, ''].join(
        '\n',
      ),
    );
  };
  write(lines);
  const callsSince = (mark: number): readonly string[] => {
    if (!existsSync(log)) return [];
    const text = readFileSync(log).subarray(mark).toString('utf8').trimEnd();
    return text === '' ? [] : text.split('\n');
  };
  return {
    ...made,
    module,
    stopped: join(folder, 'stopped'),
    calls: () => callsSince(0),
    mark: () => (existsSync(log) ? statSync(log).size : 0),
    callsSince,
    setFaults: (faults, marker) => {
      const onlyFirst = marker === undefined ? [] : [`once ${marker}`];
      write([...lines, ...onlyFirst, ...faults.map((fault) => `fault ${fault}`)]);
    },
  };
}
