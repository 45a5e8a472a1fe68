/** The whole fault walk over the behaviors, for `npm run test:crash`. */
import { BehaviorWalk, commandsOf, FAULTS, WALKED, type Fault, type Walked } from './behavior-walk.ts';
import { useQuickHosts } from './quick-hosts.ts';

/** In a run of all cases a call in so many hangs: each one costs its whole time limit. */
const HANGS_EVERY = 10;

/** What was walked of a behavior. */
export interface WalkedBehavior {
  readonly name: string;
  readonly cases: number;
  readonly problems: number;
}

interface WalkOptions {
  /** Only each so many-th call. */
  readonly every: number;
  /** Behaviors at a time: most of a case is waiting for a token host. */
  readonly lanes: number;
  /** Names of behaviors; default all. */
  readonly devices?: readonly string[] | undefined;
  readonly tell: (line: string) => void;
}

/** Every PKCS#11 call of every command goes wrong in every way, over all behaviors. */
export async function walkBehaviors(options: WalkOptions): Promise<readonly WalkedBehavior[]> {
  useQuickHosts();
  const waiting = WALKED.filter(({ name }) => options.devices?.includes(name) ?? true);
  const walked: WalkedBehavior[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      walked.push(await walkBehavior(next, options));
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return walked;
}

async function walkBehavior(walked: Walked, { every, tell }: WalkOptions): Promise<WalkedBehavior> {
  let [cases, problems] = [0, 0];
  const trying = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems += 1;
      tell(`PROBLEM: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const command of commandsOf(walked)) {
    const walk = new BehaviorWalk(walked);
    await trying(async () => {
      await walk.prepare();
      const calls = await walk.callsOf(command);
      for (let nth = 1; nth <= calls.length; nth += every) {
        const call = calls[nth - 1] ?? '';
        const faults: readonly Fault[] = nth % HANGS_EVERY === 1 ? [...FAULTS, 'hang'] : FAULTS;
        for (const fault of faults) await trying(() => walk.walk({ command, nth, call, fault }));
      }
      await walk.judgeEnd();
      tell(
        `${walked.name}: ${command}, ${calls.length} calls, ${walk.cases} cases; ${walk.named} objects stayed in the ` +
          'token, each named with the way to remove it',
      );
    });
    cases += walk.cases;
    walk.remove();
  }
  return { name: walked.name, cases, problems };
}
