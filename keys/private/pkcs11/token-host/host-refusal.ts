import type { HostFault } from '../shared/host-protocol.ts';

type Why = Extract<HostFault, { kind: 'refused' }>['why'];

/** The host saw for itself that it cannot be done; the text is a sentence without a period, of this toolkit's own words. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal';
  readonly why: Why;

  constructor(why: Why, text: string) {
    super(text);
    this.why = why;
  }
}
