/** The arguments of this repository's own commands: a wrong one ends the process with a sentence and exit code 2. */
import { relative } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';

export function refuseArguments(message: string): never {
  const script = relative(process.cwd(), process.argv[1] ?? '');
  process.stderr.write(`error: ${message}\nhint: the first lines of ${script} say what it takes\n`);
  process.exit(2);
}

export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return refuseArguments(error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? '') : '');
  }
}

export function readWholeNumber(option: string, text: string, min = 0): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
  return refuseArguments(`--${option} is ${JSON.stringify(text)}, expected a whole number of at least ${min}`);
}
