/**
 * Finds the borders of JSON values in a list or a concatenation, without judging what is inside them.
 *
 * The rule. Between values, `[` opens a list whose elements are the records, and `]` closes it. A comma outside of a list opens
 * one too: every border lies before such a comma, so a scan that begins at a border needs no state from the one before. In a
 * list an element is everything between two commas: a missing comma makes one bad record of two, and a missing element (`,,`,
 * `,]`) is handed out as the byte that should have had it behind. Outside of a list a value ends by itself.
 */

const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** 1 = white space, 2 = structure or quote, 0 = the rest. */
const CLASS = new Uint8Array(256);
for (const white of [0x20, 0x09, LF, 0x0d]) CLASS[white] = 1;
for (const mark of [QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT]) CLASS[mark] = 2;

export function isJsonWhite(byte: number): boolean {
  return CLASS[byte] === 1;
}

/** May stop at any byte and go on with the bytes that follow, at whatever offset those are. */
export class ValueBorder {
  /** First byte of the value, once `begun`; `stop` may have white space before it. */
  start = 0;
  stop = 0;
  /** Line ends passed, and how many of them came before `start`. */
  lines = 0;
  startLine = 0;
  /** Some byte of a value was seen. */
  begun = false;
  /** Inside a list, `opener` being the bracket or comma before the element. */
  inList = false;
  opener = 0;
  /** Pass over a value that may be broken: strings end at line breaks, and `{` at the begin of a line is a new value. */
  discarding = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #scalar = false;
  #afterBreak = false;

  reset(): void {
    this.begun = false;
    this.inList = false;
    this.discarding = false;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#scalar = false;
    this.#afterBreak = false;
  }

  /** Offset where to go on after the value, or -1 when the range ends first. */
  scan(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end) {
      if (this.#inString) {
        at = this.#string(bytes, at, end);
        if (this.#inString) continue;
        if (!this.inList && this.#depth === 0) return this.#finish(at, at);
        continue;
      }
      const byte = bytes[at]!;
      if (this.#afterBreak) {
        this.#afterBreak = false;
        if (byte === OPEN_OBJECT && this.begun) return this.#finish(at, at);
      }
      if (CLASS[byte] === 1) {
        if (this.#scalar) return this.#finish(at, at);
        if (byte === LF) this.#lineBreak();
        at++;
        continue;
      }
      if (CLASS[byte] === 0) {
        this.#other(at);
        do at++;
        while (at < end && CLASS[bytes[at]!] === 0);
        continue;
      }
      const next = this.#mark(byte, at);
      if (next >= 0) return next;
      at++;
    }
    return -1;
  }

  #other(at: number): void {
    if (!this.begun) this.#begin(at);
    if (!this.inList && this.#depth === 0) this.#scalar = true;
  }

  /** Structure outside of strings: the offset where to go on when it ends the value, else -1. */
  #mark(byte: number, at: number): number {
    if (this.#scalar) return this.#finish(at, at);
    if (byte === QUOTE || byte === OPEN_OBJECT || (byte === OPEN_LIST && (this.inList || this.#depth > 0))) {
      if (!this.begun) this.#begin(at);
      if (byte === QUOTE) this.#inString = true;
      else this.#depth++;
      return -1;
    }
    if (this.#depth > 0) {
      if (byte !== COMMA) this.#depth--;
      return this.#depth === 0 && !this.inList ? this.#finish(at + 1, at + 1) : -1;
    }
    if (this.inList) return this.#listMark(byte, at);
    if (byte === CLOSE_OBJECT) {
      this.#begin(at);
      return this.#finish(at + 1, at + 1);
    }
    if (byte !== CLOSE_LIST) this.#openList(byte, at);
    return -1;
  }

  #listMark(byte: number, at: number): number {
    if (byte === CLOSE_OBJECT) {
      if (!this.begun) this.#begin(at);
      return -1;
    }
    const next = byte === COMMA ? at : at + 1;
    if (this.begun) return this.#finish(at, next);
    if (byte === CLOSE_LIST && this.#listOpened) {
      this.inList = false;
      return -1;
    }
    this.start = this.opener;
    this.startLine = this.lines;
    return this.#finish(this.opener + 1, next);
  }

  #listOpened = false;

  #openList(byte: number, at: number): void {
    this.inList = true;
    this.opener = at;
    this.#listOpened = byte === OPEN_LIST;
  }

  #string(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    if (this.#escaped && at < end) {
      this.#escaped = false;
      at++;
    }
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === QUOTE) {
        this.#inString = false;
        return at;
      }
      if (byte === BACKSLASH) {
        if (at >= end) this.#escaped = true;
        else if (bytes[at] !== LF) at++;
      } else if (byte === LF) {
        this.#lineBreak();
        if (this.discarding) {
          this.#inString = false;
          return at;
        }
      }
    }
    return at;
  }

  #lineBreak(): void {
    this.lines++;
    this.#afterBreak = this.discarding;
  }

  #begin(at: number): void {
    this.begun = true;
    this.start = at;
    this.startLine = this.lines;
  }

  #finish(stop: number, next: number): number {
    this.stop = stop;
    return next;
  }
}
