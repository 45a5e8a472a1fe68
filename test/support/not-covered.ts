/** What `npm test` leaves out, and the command that runs it. */
const ELSEWHERE: readonly string[] = [
  "tokens, disks that go wrong at a chosen call, and Debian's age (npm run test:token)",
  "other people's tools (npm run test:interop)",
  'other runtimes and older Nodes (npm run test:runtimes)',
  'the long crash campaign (npm run test:crash)',
  'copies of a site that are killed at every act on the anchor (npm run test:model)',
  'the removal of every guard, and every change of a line (npm run test:mutants)',
];

const NO_MOUNTS = 'full and read-only disks (nothing may be mounted here: run it as root, or allow user namespaces)';

/** @param mounts whether the tests that mount file systems ran */
export function lastLine(mounts: boolean): string {
  return `All passed. Not covered here: ${[...(mounts ? [] : [NO_MOUNTS]), ...ELSEWHERE].join('; ')}.`;
}
