/**
 * Several processes change one anchor in a token at the same time: each has a token host of its own, and waits for a
 * random time before each of its acts on the token.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { equalBytes } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { Token } from '../../../keys/private/pkcs11/client/index.ts';
import type { AnchorRecord, AnchorStore } from '../../../signer/anchor/anchor.ts';
import { tokenAnchor } from '../../../signer/anchor/anchor-token.ts';
import { open, type TestToken } from './test-token.ts';

const TOKEN = 'one';
const PLACE = { kind: 'token', keystore: 'hsm', label: 'vtlic-anchor-raced' } as const;
const LEDGER_ID = new Uint8Array(16).fill(7);

export interface Race {
  readonly made: TestToken;
  readonly rounds: number;
  readonly processes: number;
  /** The longest time before an act, in milliseconds. */
  readonly longestWait: number;
  /** False: the anchor is searched for as ordinary data objects are. */
  readonly isReadAnew?: boolean;
}

export interface RaceTotals {
  /** Rounds in which exactly one process changed the anchor. */
  readonly won: number;
  /** Rounds in which several processes say that they have changed it, or another one than the anchor says. */
  readonly doubled: number;
  /** Rounds after which the anchor was as before. */
  readonly unchanged: number;
  /** Runs that ended with an error, by its code. */
  readonly errors: Readonly<Record<string, number>>;
}

export async function raceForAnchor({
  made,
  rounds,
  processes,
  longestWait,
  isReadAnew = true,
}: Race): Promise<RaceTotals> {
  const tokens = await Promise.all(Array.from({ length: processes + 1 }, () => open(made, TOKEN)));
  const errors: Record<string, number> = {};
  let [won, doubled, unchanged] = [0, 0, 0];
  try {
    const [judge, ...stores] = tokens.map((token, i) =>
      tokenAnchor(() => Promise.resolve(delayed(token, i === 0 ? 0 : longestWait, isReadAnew)), PLACE),
    );
    if (judge === undefined) throw new Error('there is no judge');
    for (let round = 0; round < rounds; round++) {
      const known = await judge.read();
      const tries = await Promise.all(
        stores.map(async (store, i) => {
          const next = recordOf(round * processes + i + 1);
          const isDone = await change(store, known, next).catch((error: unknown) => {
            if (!(error instanceof VtlicError)) throw error;
            errors[error.code] = (errors[error.code] ?? 0) + 1;
            return false;
          });
          return isDone ? [next] : [];
        }),
      );
      const winners = tries.flat();
      await judge.settle(randomBytes(16));
      const [now] = await judge.read();
      if (winners.some((winner) => now === undefined || !equalBytes(winner.chain, now.chain))) doubled++;
      else if (now?.entries === known[0]?.entries) unchanged++;
      else won++;
    }
  } finally {
    await Promise.all(tokens.map((token) => token.close()));
  }
  return { won, doubled, unchanged, errors };
}

async function change(store: AnchorStore, known: readonly AnchorRecord[], next: AnchorRecord): Promise<boolean> {
  await store.settle(randomBytes(16));
  return store.replace({ known, next, nonce: randomBytes(16) });
}

function recordOf(entries: number): AnchorRecord {
  const chain = Uint8Array.from(randomBytes(32));
  return {
    ledgerId: LEDGER_ID,
    entries,
    logId: LEDGER_ID,
    size: 0,
    root: new Uint8Array(32),
    counterBound: 0,
    closes: 0,
    chain,
  };
}

/** The same token, which waits before each act on its data objects. */
function delayed(token: Token, longestWait: number, isReadAnew: boolean): Token {
  return new Proxy(token, {
    get: (target, name) => {
      const asked = name === 'readDataAnew' && !isReadAnew ? 'readData' : name;
      const value: unknown = Reflect.get(target, asked, target);
      if (typeof value !== 'function') return value;
      const call = (...given: unknown[]): unknown => Reflect.apply(value, target, given);
      if (!['readDataAnew', 'createData', 'destroyData'].includes(String(name)) || longestWait === 0) return call;
      return async (...given: unknown[]) => {
        await wait(Math.random() * longestWait);
        return call(...given);
      };
    },
  });
}
