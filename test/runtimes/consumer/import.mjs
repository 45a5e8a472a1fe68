import { readFileSync } from 'node:fs';
import * as vtlic from 'vtlic';
import judge from './judge.cjs';

const examples = JSON.parse(readFileSync(new URL('./examples.json', import.meta.url), 'utf8'));
process.stdout.write(`${JSON.stringify(judge(vtlic, examples))}\n`);
