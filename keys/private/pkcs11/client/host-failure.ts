/** What went wrong between the officer's process and the token host, before it is told to anybody. */
import type { HostFault, OperationName } from '../shared/host-protocol.ts';

export type HostFailureCause =
  | { readonly kind: 'fault'; readonly fault: HostFault }
  | { readonly kind: 'died'; readonly signal: string | undefined; readonly exitCode: number | undefined }
  | { readonly kind: 'late'; readonly milliseconds: number }
  | { readonly kind: 'garbled' }
  /** The request was never sent: the host had ended before. */
  | { readonly kind: 'gone' };

export class HostFailure extends Error {
  override readonly name = 'HostFailure';
  readonly operation: OperationName;
  readonly why: HostFailureCause;

  constructor(operation: OperationName, why: HostFailureCause) {
    super(`${operation}: ${why.kind}`);
    this.operation = operation;
    this.why = why;
  }

  /** True where nobody knows what the token did with the request. */
  get isUnknown(): boolean {
    return this.why.kind === 'died' || this.why.kind === 'late' || this.why.kind === 'garbled';
  }
}
