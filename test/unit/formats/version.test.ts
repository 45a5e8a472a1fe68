import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VERSION } from '../../../formats/version.ts';
import { ROOT } from '../../support/run-cli.ts';

it.each(['', 'packages/vtlic', 'packages/vtlic-signer', 'packages/vtlic-conform'])(
  'the version of the program is that of package.json in the folder "%s"',
  (folder) => {
    const { version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
  },
);
