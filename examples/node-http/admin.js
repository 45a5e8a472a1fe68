/** Who may use the admin page, with which password, and what is recorded of it. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { licenseAdmin, licenseMonitor } from 'vtlic/admin';
import { clocks } from './try-clock.js';

const MAX_WRONG = 10;
const WRONG_SECONDS = 15 * 60;
const MIN_PASSWORD = 12;

/**
 * The page asks for one password, by HTTP Basic authentication. A product with users of its own asks these instead: its
 * session in `authorize`, and the password or the second factor of that user in `stepUp`.
 */
export function adminPage(license, storage, { origin, passwordFile }) {
  const password = secretOf(passwordFile, 'ADMIN_PASSWORD_FILE');
  if (password.length < MIN_PASSWORD)
    throw new Error(`${passwordFile}: the password has less than ${MIN_PASSWORD} characters`);
  const sessionKey = randomBytes(32);
  const isPassword = limited((given) => timingSafeEqual(sha256(given), sha256(password)));
  return licenseAdmin(license, {
    origin,
    authorize: ({ headers }) => {
      const { name, given } = credentials(headers.get('authorization') ?? '');
      if (name !== '' && given !== '' && isPassword(given))
        return { name, session: createHmac('sha256', sessionKey).update(name).digest('hex') };
      const challenge = { 'www-authenticate': 'Basic realm="license of vaultdesk", charset="UTF-8"' };
      return new Response('The password of the admin page is needed.\n', { status: 401, headers: challenge });
    },
    stepUp: ({ digest, proof }) => (isPassword(proof) ? digest : undefined),
    audit: ({ operator, ...entry }) => storage.audit({ operator: operator.name, ...entry }),
    seatsUsed: () => storage.countUsers(),
    ...(clocks === undefined ? {} : { clock: clocks.clock }),
  });
}

/** `/metrics` for whoever has the token, and `/health` for everybody. */
export function monitor(license, tokenFile) {
  return licenseMonitor(license, { token: secretOf(tokenFile, 'METRICS_TOKEN_FILE') });
}

function secretOf(file, variable) {
  if (file === undefined || file === '') throw new Error(`${variable} is not set`);
  return readFileSync(file, 'utf8').trim();
}

function credentials(header) {
  const encoded = /^Basic ([\w+/=]{1,1000})$/i.exec(header)?.[1] ?? '';
  const [name, ...given] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { name, given: given.join(':') };
}

const sha256 = (text) => createHash('sha256').update(text).digest();

/** After too many wrong passwords nobody is let in for a while. */
function limited(isRight) {
  let wrong = [];
  return (given) => {
    const now = performance.now() / 1000;
    wrong = wrong.filter((at) => now - at < WRONG_SECONDS);
    if (wrong.length >= MAX_WRONG) return false;
    if (isRight(given)) return true;
    wrong.push(now);
    return false;
  };
}
