/* global describe, test, expect */
'use strict';
const vtlic = require('vtlic');
const judge = require('./judge.cjs');
const examples = require('./examples.json');

describe('vtlic in jest', () => {
  test('gives the verdict of each example', () => {
    const result = judge(vtlic, examples);
    // The runner reads this line from the standard error of jest.
    process.stderr.write(`result ${JSON.stringify(result)}\n`);
    expect(result.failed).toEqual([]);
  });
});
