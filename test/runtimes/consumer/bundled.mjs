/* global console */
import * as vtlic from 'vtlic';
import examples from './examples.json';
import judge from './judge.cjs';

console.log(JSON.stringify(judge(vtlic, examples)));
