/** `vtlic issue REQUEST.json`: parse → plan → show and confirm → sign → release. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { readLimited } from '../../../files/index.ts';
import { planLicense } from '../../plan/plan-license.ts';
import { planView } from '../../summary/plan-summary.ts';
import { checkAgainstCatalog } from '../../request/check-against-catalog.ts';
import { parseRequest } from '../../request/parse.ts';
import type { Io } from '../io.ts';
import { runSigning, signingOptions, type SigningCommand, type SigningOptions } from '../sign-plan.ts';

const MAX_REQUEST_BYTES = 1 << 20;

export function defineIssue(command: Command, io: Io): void {
  signingOptions(command).action(async (file: string | undefined, options: SigningOptions) => {
    if ((options.confirm === undefined) === (file === undefined))
      throw new VtlicError('usage', 'issue takes a request file, or --confirm DIGEST instead of one', {
        hint: 'see: vtlic help issue',
      });
    await runSigning(
      io,
      { name: 'issue', prepare: file === undefined ? undefined : prepare(io, resolve(io.cwd, file)) },
      options,
    );
  });
}

function prepare(io: Io, path: string): SigningCommand['prepare'] {
  return (_site, catalog) => {
    const request = parseRequest(readLimited(path, MAX_REQUEST_BYTES, 'json_malformed'), path);
    checkAgainstCatalog(request, catalog, path);
    return (input) => {
      const plan = planLicense(request, { ...input, runtime: io.runtime });
      return { plan, view: planView(plan, input) };
    };
  };
}
