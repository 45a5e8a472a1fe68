/** For tests that provoke a message and go the way out that it names. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { RanHere } from '../../support/run-here.ts';
import type { Behavior } from '../../support/tokens/behaviors/behavior.ts';
import { DeviceSite } from './device-site.ts';
import { commandsIn, follow, hintsIn, type Values } from './hints.ts';

/** Everything that was printed. */
export const printed: string[] = [];
export const text = ({ code, stdout, stderr }: RanHere): string => `${code} ${stdout}${stderr}`;

/** A message that ends with this exit code; its hints. */
export async function provoked(running: Promise<RanHere>, code: number): Promise<readonly string[]> {
  const done = await running;
  printed.push(text(done));
  expect(text(done)).toMatch(new RegExp(`^${code} `));
  return hintsIn(`${done.stdout}${done.stderr}`);
}

/** The commands of this toolkit in the one hint that contains these words. */
export function commandsOf(hints: readonly string[], words: string): readonly string[] {
  const found = [...new Set(hints.filter((hint) => hint.includes(words)))];
  expect(found).toHaveLength(1);
  const commands = commandsIn(found[0] ?? '');
  expect(commands.length).toBeGreaterThan(0);
  return commands;
}

/** All commands of a hint end well. */
export async function leads(
  device: DeviceSite,
  hints: readonly string[],
  words: string,
  values: Values = {},
): Promise<string> {
  let output = '';
  for (const command of commandsOf(hints, words)) {
    const done = await follow(device, command, { KEYSTORE: 'h', ...values });
    expect(`${command}: ${text(done)}`).toMatch(/^[^:]*: 0 /);
    output += `${done.stdout}${done.stderr}`;
  }
  printed.push(output);
  return output;
}

export const generate = (device: DeviceSite, name: string, ...more: readonly string[]): Promise<RanHere> =>
  device.run(['key', 'generate', '--name', name, ...more]);
export const adopt = (device: DeviceSite, name: string, ...more: readonly string[]): Promise<RanHere> =>
  device.run(['key', 'adopt', '--name', name, '--keystore', 'h', ...more]);
export const doctor = (device: DeviceSite): Promise<RanHere> => device.run(['hsm', 'doctor', 'h']);
export const issue = async (device: DeviceSite, ...more: readonly string[]): Promise<RanHere> =>
  device.run([
    'issue',
    '--confirm',
    (await device.runWithout('issue', device.request, '--dry-run', ...more)).stdout.trim(),
  ]);

/** A device for a describe block, with its site. */
export function deviceOf(behavior: Behavior, more: () => readonly string[] = () => []): () => DeviceSite {
  let device: DeviceSite | undefined;
  beforeAll(async () => {
    device = new DeviceSite(behavior);
    expect(await device.init(...more())).toMatchObject({ code: 0 });
  });
  afterAll(() => device?.remove());
  return () => {
    if (device === undefined) throw new Error('no device');
    return device;
  };
}
