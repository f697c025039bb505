/** Finds the line breaks that end CSV rows: a break inside a quoted cell is text; a quote in the middle of a bare cell opens nothing. */

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;

const CELL_START = 0;
const BARE = 1;
const QUOTED = 2;
/** After a quote inside a quoted cell: the second half of `""`, or the end of the cell. */
const CLOSING = 3;

/** The scan may stop anywhere and go on with the bytes that follow. */
export class CsvScan {
  #state = CELL_START;

  reset(): void {
    this.#state = CELL_START;
  }

  /** True when the bytes seen so far end inside a quoted cell. */
  get quoted(): boolean {
    return this.#state === QUOTED;
  }

  /** Offset of the line break that ends the row, or -1 when the row does not end in [start, end). */
  rowBreak(bytes: Uint8Array, start: number, end: number): number {
    let state = this.#state;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (state === QUOTED) {
        if (byte === QUOTE) state = CLOSING;
      } else if (byte === LF) {
        this.#state = CELL_START;
        return at;
      } else if (byte === COMMA) {
        state = CELL_START;
      } else if (byte === QUOTE) {
        if (state !== BARE) state = QUOTED; // Opens a cell, or is the second half of an escaped quote.
      } else if (state === CELL_START || byte !== CR) {
        state = BARE; // After a closing quote too: the encoder will refuse what follows it.
      }
    }
    this.#state = state;
    return -1;
  }
}
