/**
 * One line as a person types it in raw mode, as bytes: erasing, Ctrl-U, Ctrl-C, Ctrl-D. What a key sends besides a
 * character (an arrow, a function key, the marks around pasted text) never becomes part of the line.
 *
 * Such control sequences are those of ECMA-48: CSI (ESC [ … final), SS3 (ESC O x), a string (ESC ] … BEL or ESC \) and
 * ESC with one more byte.
 */
const CTRL_C = 3;
const CTRL_D = 4;
const BELL = 7;
const BACKSPACE = 8;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const CTRL_U = 21;
const ESCAPE = 27;
const DELETE = 127;
/** First byte of a C1 control in UTF-8: U+0080 to U+009F are C2 80 to C2 9F. */
const C1_LEAD = 0xc2;
const C1_CSI = 0x9b;
const MAX_BYTES = 1024;

/** Where the editor is within a control sequence. `text`: in none. `c1`: after C2, which may begin U+00A0 to U+00BF. */
type State = 'text' | 'escape' | 'csi' | 'ss3' | 'string' | 'c1';

export interface Taken {
  /** What is shown; empty for a secret. */
  readonly echo: Uint8Array;
  /** How the line ended; undefined while it goes on. */
  readonly end?: 'line' | 'interrupted' | 'closed';
}

export class LineEditor {
  readonly #line = Buffer.alloc(MAX_BYTES);
  readonly #echoes: boolean;
  #length = 0;
  #state: State = 'text';
  #droppedControl = false;

  /** @param echoes false for a secret, of which no copy is made */
  constructor(echoes: boolean) {
    this.#echoes = echoes;
  }

  /** Takes what was read; what follows the end of the line is ignored. */
  take(chunk: Uint8Array): Taken {
    const echo: number[] = [];
    const [first] = chunk;
    // This is the key Esc itself: for another key, a terminal sends ESC and the rest together.
    if (this.#state === 'escape' && first !== 0x5b && first !== 0x4f) this.#state = 'text';
    for (const byte of chunk) {
      // Ctrl-C and the end of the line count even where a sequence was never finished.
      if (byte === CTRL_C) return taken(echo, 'interrupted');
      if (byte === CARRIAGE_RETURN || byte === LINE_FEED) {
        this.#state = 'text';
        return taken(echo, 'line');
      }
      if (byte === CTRL_D && this.#length === 0) return taken(echo, 'closed');
      if (this.#state === 'text') this.#text(byte, echo);
      else this.#sequence(byte, echo);
    }
    return taken(echo);
  }

  /** True where a key sent something that is not part of the line: an arrow, a tabulator, the marks of a paste. */
  get droppedControl(): boolean {
    return this.#droppedControl;
  }

  /** A copy; the caller wipes it. */
  line(): Uint8Array {
    return new Uint8Array(this.#line.subarray(0, this.#length));
  }

  /** Wipes the line and begins anew. */
  clear(): void {
    this.#line.fill(0);
    this.#length = 0;
    this.#state = 'text';
    this.#droppedControl = false;
  }

  #text(byte: number, echo: number[]): void {
    if (byte === ESCAPE) this.#state = 'escape';
    else if (byte === C1_LEAD) this.#state = 'c1';
    else if (byte === BACKSPACE || byte === DELETE) this.#erase(echo);
    else if (byte === CTRL_U) while (this.#length > 0) this.#erase(echo);
    else if (byte >= 32) this.#add(echo, byte);
    if (byte === ESCAPE || isOtherControl(byte)) this.#droppedControl = true;
  }

  #sequence(byte: number, echo: number[]): void {
    switch (this.#state) {
      case 'escape':
        this.#state = byte === 0x5b ? 'csi' : byte === 0x4f ? 'ss3' : isStringStart(byte) ? 'string' : 'text';
        // ESC ESC [ A: some terminals send an arrow with Alt like this.
        if (byte === ESCAPE) this.#state = 'escape';
        return;
      case 'csi':
        if (byte === ESCAPE) this.#state = 'escape';
        else if (byte >= 0x40 && byte <= 0x7e) this.#state = 'text';
        return;
      case 'string':
        if (byte === BELL) this.#state = 'text';
        else if (byte === ESCAPE) this.#state = 'escape';
        return;
      case 'c1':
        this.#state = byte === C1_CSI ? 'csi' : 'text';
        if (byte < 0xa0) this.#droppedControl = true;
        if (byte >= 0xa0 && byte <= 0xbf) this.#add(echo, C1_LEAD, byte);
        return;
      default:
        this.#state = 'text';
    }
  }

  #add(echo: number[], ...bytes: number[]): void {
    if (this.#length + bytes.length > MAX_BYTES) return;
    for (const byte of bytes) this.#line[this.#length++] = byte;
    if (this.#echoes) echo.push(...bytes);
  }

  #erase(echo: number[]): void {
    if (this.#length === 0) return;
    do {
      this.#length--;
    } while (this.#length > 0 && ((this.#line[this.#length] ?? 0) & 0xc0) === 0x80);
    this.#line.fill(0, this.#length);
    if (this.#echoes) echo.push(BACKSPACE, 32, BACKSPACE);
  }
}

function taken(echo: readonly number[], end?: Taken['end']): Taken {
  return { echo: Uint8Array.from(echo), ...(end === undefined ? {} : { end }) };
}

/** A control character that means nothing here. */
function isOtherControl(byte: number): boolean {
  return byte < 32 && ![BACKSPACE, CTRL_U, ESCAPE].includes(byte);
}

/** DCS, SOS, OSC, PM and APC, which end with ST or BEL. */
function isStringStart(byte: number): boolean {
  return byte === 0x50 || byte === 0x58 || byte === 0x5d || byte === 0x5e || byte === 0x5f;
}
