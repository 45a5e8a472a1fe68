/**
 * `vtlic-product`: what an operator asks about the license of a product (docs/runtime.md, "The command of an
 * operator"). It only reads. Standard output carries the result, standard error the warnings and errors.
 */
import { parseArgs } from 'node:util';
import { EXIT } from '../../formats/exit-codes.ts';
import { jsonLine } from '../../formats/json/index.ts';
import { VtlicError } from '../index.ts';
import {
  checkLicense,
  compatibleFingerprint,
  explainFingerprint,
  hostFingerprint,
  type Environment,
  type HostFingerprint,
  type LicenseCheck,
} from '../runtime/index.ts';
import { loadProduct, type ProductFile } from './product-file.ts';
import { errorLines, fingerprintLines, noticeLines, outcomeLine, statusLines, type Outcome } from './show.ts';

export interface ProductIo {
  readonly environment: Environment;
  readonly out: (text: string) => void;
  readonly report: (text: string) => void;
}

const HELP = `vtlic-product reads the license of a product, and changes nothing.

  vtlic-product check --product FILE         how the product would start now
  vtlic-product status --product FILE        the same, with the whole license
  vtlic-product fingerprint --product FILE   the fingerprint of this host
  vtlic-product fingerprint --compatible --hostname H --mac MAC --project P

  --product FILE   the module of the product with its options of openLicense
  --json           one JSON document instead of text

It reads the variables that the product reads, LICENSE_PATH and others: run it
with the same environment, as the same user. Before an upgrade, run the check
of the new release.

Exit: 0 full, 23 grace, 24 free tier, 20 does not start, 2 not judged.

Example: vtlic-product check --product /opt/vaultdesk/license-options.mjs
`;

const OPTIONS = {
  product: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  compatible: { type: 'boolean' },
  hostname: { type: 'string' },
  mac: { type: 'string' },
  project: { type: 'string' },
} as const;

const EXIT_OF: Readonly<Record<Outcome, number>> = {
  full: EXIT.done,
  grace: EXIT.inGrace,
  free_tier: EXIT.freeTier,
  does_not_start: EXIT.notValid,
  not_applicable: EXIT.done,
};

/** @returns the exit code. Never rejects */
export async function runProduct(argv: readonly string[], io: ProductIo): Promise<number> {
  try {
    return await run(argv, io);
  } catch (error) {
    const exit = exitOf(error);
    for (const line of errorLines(error)) io.report(`${line}\n`);
    if (argv.includes('--json')) io.out(jsonLine(errorDocument(error, exit)));
    return exit;
  }
}

async function run(argv: readonly string[], io: ProductIo): Promise<number> {
  const { values, positionals } = parse(argv);
  const [command, ...rest] = positionals;
  if (values.help === true || command === 'help') {
    io.out(HELP);
    return EXIT.done;
  }
  if (command !== 'check' && command !== 'status' && command !== 'fingerprint')
    throw usage(command === undefined ? 'a command is missing' : 'there is no such command');
  const special = ['compatible', 'hostname', 'mac', 'project'].flatMap((name) => (name in values ? [`--${name}`] : []));
  const foreign = [...rest, ...(command === 'fingerprint' ? [] : special)];
  if (foreign.length > 0) throw usage(`${command} does not take ${foreign.join(', ')}`);
  if (values.compatible === true) {
    const { hostname, mac, project } = values;
    if (hostname === undefined || mac === undefined || project === undefined)
      throw usage('--compatible needs --hostname, --mac and --project');
    const fingerprint = compatibleFingerprint(hostname, mac, project);
    io.out(values.json === true ? jsonLine({ schema: 'vtlic-fingerprint/1', fingerprint }) : `${fingerprint}\n`);
    return EXIT.done;
  }
  if (special.length > 0) throw usage(`${command} takes ${special.join(', ')} only with --compatible`);
  if (values.product === undefined) throw usage(`${command} needs --product FILE`);
  const product = await loadProduct(values.product, io.environment);
  const isJson = values.json === true;
  return command === 'fingerprint' ? showFingerprint(product, io, isJson) : showCheck(command, product, io, isJson);
}

async function showCheck(
  command: 'check' | 'status',
  { options }: ProductFile,
  io: ProductIo,
  isJson: boolean,
): Promise<number> {
  const check = await checkLicense(options);
  const outcome = outcomeOf(check);
  const exit = EXIT_OF[outcome];
  const { view, refusal } = check;
  if (isJson) {
    io.out(jsonLine({ schema: 'vtlic-product/1', outcome, exit, refusal, view }));
    return exit;
  }
  io.out(`${outcomeLine(outcome, view)}\n`);
  if (command === 'status') for (const line of statusLines(view)) io.out(`${line}\n`);
  if (refusal !== undefined) for (const line of noticeLines('refused', refusal)) io.report(`${line}\n`);
  for (const warning of view.warnings.filter((one) => one !== refusal))
    for (const line of noticeLines('warning', warning)) io.report(`${line}\n`);
  return exit;
}

function outcomeOf({ view, refusal }: LicenseCheck): Outcome {
  if (refusal !== undefined) return 'does_not_start';
  return view.state === 'active' ? 'full' : view.state;
}

/** Exit 0 with a fingerprint, 24 without one. */
async function showFingerprint(product: ProductFile, io: ProductIo, isJson: boolean): Promise<number> {
  const { options, databaseId } = product;
  const { issuer, product: name } = options;
  const host = hostFingerprint({ environment: io.environment, issuer, product: name, databaseId });
  const explanation = await explained(product, host);
  const { used, candidates, absent } = host;
  if (isJson)
    io.out(
      jsonLine({
        schema: 'vtlic-fingerprint/1',
        fingerprint: used?.fingerprint,
        source: used?.source,
        candidates,
        absent,
        explanation,
      }),
    );
  else {
    if (used !== undefined) io.out(`${used.fingerprint}\n`);
    for (const line of fingerprintLines(host)) io.report(`${line}\n`);
    if (explanation !== undefined) io.report(`${explanation}\n`);
  }
  return used === undefined ? EXIT.freeTier : EXIT.done;
}

/** The license is judged with each fingerprint that can be made here: that says which of them it names. */
async function explained({ options }: ProductFile, host: HostFingerprint): Promise<string | undefined> {
  const isRefused = async (hosts: readonly string[]): Promise<boolean> => {
    const { view } = await checkLicense({ ...options, hosts });
    return view.warnings.some(({ code }) => code === 'host_mismatch');
  };
  try {
    if (!(await isRefused(host.hosts))) return undefined;
    const named = new Set<string>();
    for (const { fingerprint } of host.candidates) if (!(await isRefused([fingerprint]))) named.add(fingerprint);
    return explainFingerprint(host, (fingerprint) => named.has(fingerprint));
  } catch (error) {
    // Before a license is here the settings may be incomplete, and the fingerprint is asked for all the same.
    if (error instanceof VtlicError && error.code === 'configuration_invalid') return undefined;
    throw error;
  }
}

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : 'the options cannot be read');
  }
}

function usage(fault: string): VtlicError {
  return new VtlicError('usage', fault, { hint: 'Run vtlic-product help.' });
}

/** A product with a wrong setting does not start; everything else that is thrown means that nothing was judged. */
function exitOf(error: unknown): number {
  if (!(error instanceof VtlicError)) return EXIT.defect;
  return error.code === 'configuration_invalid' ? EXIT.notValid : EXIT.usage;
}

function errorDocument(error: unknown, exit: number): Readonly<Record<string, unknown>> {
  const schema = 'vtlic-error/1';
  if (!(error instanceof VtlicError)) return { schema, code: 'internal', exit, message: errorLines(error)[0] };
  const { code, message, place, hint } = error;
  return { schema, code, exit, message, ...place, hint };
}
