/** What a key may sign. One key, one job: recorded with the key, checked at use. */
export const JOBS: readonly ['license', 'root', 'ledger', 'approval', 'transcript', 'counters', 'release'] =
  Object.freeze(['license', 'root', 'ledger', 'approval', 'transcript', 'counters', 'release'] as const);

export type Job = (typeof JOBS)[number];

export function isJob(text: string): text is Job {
  return (JOBS as readonly string[]).includes(text);
}
