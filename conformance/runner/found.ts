/** A finding as a folder: what replays it without a generator, and what a person looks at. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../properties/explain.ts';
import { requestLine } from '../protocol/protocol.ts';
import { FOUND_SCHEMA, type FoundCase } from './cases.ts';

/**
 * Writes `found.json`, `requests.jsonl` (the lines that a harness reads after `hello`) and the last license.
 *
 * @returns the path of the folder
 */
export function writeFound(base: string, id: string, finding: Finding): string {
  const folder = join(base, id.slice(id.indexOf('/') + 1));
  mkdirSync(folder, { recursive: true });
  const { headline, mismatch, scored, steps } = finding;
  const found: FoundCase = {
    schema: FOUND_SCHEMA,
    id,
    title: headline,
    got: mismatch.sentence,
    scored,
    steps,
  };
  writeFileSync(join(folder, 'found.json'), `${JSON.stringify(found, undefined, 2)}\n`);
  writeFileSync(
    join(folder, 'requests.jsonl'),
    // The id of `hello` is 1.
    steps.map(({ request }, i) => requestLine(i + 2, request)).join(''),
  );
  const license = steps.map(({ request }) => ('license' in request ? request.license : undefined)).findLast(isText);
  if (license !== undefined) writeFileSync(join(folder, 'license.vtlic'), Buffer.from(license, 'base64'));
  return folder;
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}
