#!/usr/bin/env node
/** The command `vtlic`. Leaves with the exit code of the command. */
const argv = process.argv.slice(2);

async function run(): Promise<number> {
  if (argv[0] === 'verify') {
    const { plainVerify } = await import('./plain-verify.ts');
    const code = plainVerify(argv.slice(1));
    if (code !== undefined) return code;
  }
  const [{ processIo }, { runCli }] = [await import('./io.ts'), await import('./run.ts')];
  return runCli(argv, processIo());
}

process.exit(await run());
