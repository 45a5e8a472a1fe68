/** A PKCS#11 call that did not return CKR_OK. Inside the token host alone; over the pipe it goes as call and number. */
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

/** The module could not be loaded at all; the text is the dynamic linker's or the binding's, not yet cleaned. */
export class LoadFault extends Error {
  override readonly name = 'LoadFault';
  readonly kind: 'no-addon' | 'no-library' | 'not-pkcs11' | 'platform';

  constructor(kind: LoadFault['kind'], text: string) {
    super(text);
    this.kind = kind;
  }
}
