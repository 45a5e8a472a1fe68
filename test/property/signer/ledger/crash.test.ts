/** `kill -9` at any moment of a writer's life. A small share; the long campaign has a command of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { ACME, makeLedger, writerOptions } from '../../../unit/signer/ledger/ledger-fixture.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const CHILD = join(ROOT, 'test/unit/signer/ledger/ledger-child.ts');
const RUNS = 12;

async function killedAfter(ledger: string, milliseconds: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [CHILD, 'cycle', ledger], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const closed = once(writer, 'close');
  await once(writer.stdout, 'data');
  await setTimeout(milliseconds);
  writer.kill('SIGKILL');
  await closed;
  return out.split('\n').filter((line) => line !== '');
}

describe('a writer that is killed', () => {
  it('leaves a ledger with everything that it reported, and the next writer continues without help', async () => {
    const place = await makeLedger();
    const told: string[] = [];
    for (let run = 0; run < RUNS; run++) {
      told.push(...(await killedAfter(place.ledger, 5 + Math.random() * 60)));
      const ledger = await openLedgerForWriting(place.ledger, writerOptions());
      try {
        await ledger.verify();
        const states = new Map(
          ledger.historyOf(ACME, { limit: 1_000_000 }).map((record) => [record.intent.body.ctr, record]),
        );
        for (const line of told) {
          const [what = '', counter = ''] = line.split(' ');
          const record = states.get(Number(counter));
          if (record === undefined) throw new Error(`${line} was told, and the ledger has no such counter`);
          if (what === 'void') expect(record.state).toBe('void');
          if (what === 'issue' || what === 'release') expect(record.issue).toBeDefined();
          if (what === 'release') expect(record.state).toBe('released');
          if (what === 'anchor') expect(ledger.anchored.size).toBeGreaterThan(record.issue?.body.leafIndex ?? Infinity);
        }
        expect(ledger.openIntents().length + ledger.unreleased().length).toBeLessThanOrEqual(1);
      } finally {
        ledger.close();
      }
    }
    // On a busy machine a run is killed after few lines.
    expect(told.filter((line) => line.startsWith('intent')).length).toBeGreaterThan(RUNS / 2);
    const counters = told.filter((line) => line.startsWith('intent')).map((line) => Number(line.split(' ')[1]));
    expect(new Set(counters).size).toBe(counters.length);
  });
});
