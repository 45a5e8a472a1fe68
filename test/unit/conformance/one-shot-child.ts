/** The reference verifier as a command whose exit code is the verdict. */
import { readFileSync } from 'node:fs';
import { answering } from '../../../conformance/harness/reference/answer.ts';
import type { Request } from '../../../conformance/protocol/protocol.ts';

const [license = '', request = ''] = process.argv.slice(2);
const asked = JSON.parse(readFileSync(request, 'utf8')) as Extract<Request, { readonly op: 'verify' }>;
const answer = answering()({ ...asked, license: readFileSync(license).toString('base64') });
const { now, clock } = asked.context;
if (process.env['VTLIC_NOW'] !== String(now) || process.env['VTLIC_CLOCK'] !== clock?.toString()) process.exit(1);
const isRollback = /^(?:lineage_not_newer|counter_)/.test(answer.reason ?? '');
if (answer.verdict === 'accepted') process.exit(answer.state === 'active' || answer.state === 'grace' ? 0 : 21);
process.exit(isRollback ? 22 : 20);
