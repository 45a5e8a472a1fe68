/** The errors of the token host, and how each crosses the pipe. */
import { VtlicError } from '../../../../formats/error.ts';
import type { HostFault } from '../shared/host-protocol.ts';

type Refusal = Extract<HostFault, { kind: 'refused' }>;
type LoadError = Extract<HostFault, { kind: 'load' }>;

/** A PKCS#11 call that did not return CKR_OK. */
export class CallFault extends Error {
  override readonly name = 'CallFault';
  readonly call: string;
  readonly rv: number;

  constructor(call: string, rv: number) {
    super(`${call} returned 0x${rv.toString(16)}`);
    this.call = call;
    this.rv = rv;
  }
}

/** The module could not be loaded at all. The text is the dynamic linker's or the binding's, not yet cleaned. */
export class LoadFault extends Error {
  override readonly name = 'LoadFault';
  readonly kind: LoadError['why'];

  constructor(kind: LoadError['why'], text: string) {
    super(text);
    this.kind = kind;
  }
}

/** The token refused the PIN of a context login. */
export class ContextPinFault extends Error {
  override readonly name = 'ContextPinFault';
  readonly rv: number;

  constructor(rv: number) {
    super('the context login was refused');
    this.rv = rv;
  }
}

/** The host itself found that it cannot do what was asked. The text is this toolkit's own, without a period. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal';
  readonly why: Refusal['why'];

  constructor(why: Refusal['why'], text: string) {
    super(text);
    this.why = why;
  }
}

/** The form in which any error of an operation goes over the pipe. */
export function hostFaultOf(error: unknown): HostFault {
  if (error instanceof CallFault) return { kind: 'call', call: error.call, rv: error.rv };
  if (error instanceof LoadFault) return { kind: 'load', why: error.kind, text: error.message };
  if (error instanceof ContextPinFault) return { kind: 'context-pin', rv: error.rv };
  if (error instanceof HostRefusal) return { kind: 'refused', why: error.why, text: error.message };
  if (error instanceof VtlicError && error.code === 'keyfile_corrupt')
    return { kind: 'refused', why: 'keyfile_corrupt', text: error.message };
  return { kind: 'defect', text: error instanceof Error ? error.message : String(error) };
}
