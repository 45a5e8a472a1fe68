/** The reference verifier as a harness: `vtlic-conform -- node conformance/harness/reference/main.ts`. */
import { createInterface } from 'node:readline';
import { VERSION } from '../../../formats/version.ts';
import { CAPABILITIES, PROTOCOL, type Request } from '../../protocol/protocol.ts';
import { answering } from './answer.ts';

const answer = answering();
const HELLO = {
  protocol: PROTOCOL,
  name: 'vtlic',
  version: VERSION,
  language: 'TypeScript',
  capabilities: CAPABILITIES,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...request } = JSON.parse(line) as { readonly id: number } & (Request | { readonly op: 'hello' });
  let members: object;
  try {
    members = request.op === 'hello' ? HELLO : answer(request);
  } catch (error) {
    members = { error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify({ id, ...members })}\n`);
}
