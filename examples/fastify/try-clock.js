/**
 * For trying the example only: TRY_CLOCK_FILE names a file with a number of days by which the clock of the license is
 * ahead. A product that is sold must not have this file, since whoever sets the clock decides how long a license lasts.
 */
import { readFileSync } from 'node:fs';

const file = process.env.TRY_CLOCK_FILE ?? '';
if (file !== '')
  console.warn(`TRY_CLOCK_FILE is set: the clock of the license follows ${file}, which is for trying only`);

const secondsAhead = () => Number(readFileSync(file, 'utf8')) * 86_400;

export const clocks =
  file === ''
    ? undefined
    : {
        clock: () => Date.now() / 1000 + secondsAhead(),
        monotonic: () => performance.now() / 1000,
      };
