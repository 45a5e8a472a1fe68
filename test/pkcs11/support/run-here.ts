/** A command in this process: for those that touch no token and no signal. */
export { runHere } from '../../support/run-here.ts';
