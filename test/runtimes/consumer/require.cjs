'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const vtlic = require('vtlic');
const judge = require('./judge.cjs');

async function main() {
  const examples = JSON.parse(readFileSync(join(__dirname, 'examples.json'), 'utf8'));
  const result = judge(vtlic, examples);
  // One implementation for both module systems: an error that one throws is an instance of the other's class.
  const imported = await import('vtlic');
  if (imported.VtlicError !== vtlic.VtlicError) result.failed.push('import and require give two classes VtlicError');
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

void main();
