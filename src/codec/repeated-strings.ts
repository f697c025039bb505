/**
 * Short strings of one field that come again and again (a type, a country, an agent), made once: to compare a few words costs a third
 * of a new string, and leaves nothing to collect. A field of ever new values (an id, a time) is found out and let alone.
 * The idea is that of msgpackr's cache of keys, here for values.
 */

/** Where values are read from. Places are those in the buffer. */
export interface PlainSource {
  /** The whole buffer. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The next byte to read, and the first that is not to be read. */
  at: number;
  readonly end: number;
  /** The value at `at`, whatever it is. */
  value(): unknown;
  /** The string of `length` bytes at `at`. */
  string(length: number): string;
  /** The same where all of it is ASCII, on its own in memory. */
  copy(length: number): string;
  /** To read on from an earlier place. */
  moveBack(at: number): void;
}

const SLOT_BITS = 6;
const SLOTS: number = 1 << SLOT_BITS;
/** Strings of up to 31 bytes: eight words. */
const WORDS = 8;
/** Looking pays above two hits in three; the first misses are those that fill the slots. */
const SCORE_FIRST = 256;
const SCORE_MAX = 512;
const MISS_COST = 2;
/** Of a thread, at 4 KiB each. */
const TABLES_MAX = 256;
/** Of a word of four bytes: set where one of them is no ASCII. */
export const NOT_ASCII = 0x8080_8080;

interface Table {
  readonly strings: string[];
  /** The bytes of each string, and zeros behind them. */
  readonly words: Int32Array;
}

let tables = 0;

export class RepeatedStrings {
  #table: Table | null = null;
  #score = SCORE_FIRST;

  /** Takes `length` < 32 bytes at `reader.at`; up to three bytes behind them are looked at, and masked. */
  read(reader: PlainSource, length: number): string {
    const { view, at } = reader;
    if (this.#score < 0 || at + length > reader.end) return reader.string(length); // Past the end it gives up.
    const full = at + (length & ~3);
    let hash = length;
    let all = 0;
    for (let p = at; p < full; p += 4) {
      const word = view.getInt32(p, true);
      all |= word;
      hash = Math.imul(hash ^ word, 0x9e37_79b1);
    }
    const tail = tailOf(view, full, length & 3);
    hash = Math.imul(hash ^ tail, 0x9e37_79b1);
    if (((all | tail) & NOT_ASCII) !== 0) return reader.string(length);
    const table = this.#table ?? this.#makeTable();
    if (table === null) return reader.string(length);
    const { strings, words } = table;
    const slot = hash >>> (32 - SLOT_BITS);
    const known = strings[slot]!;
    if (known.length !== length) return this.#learn(reader, slot, length);
    let word = slot * WORDS;
    for (let p = at; p < full; p += 4) if (view.getInt32(p, true) !== words[word++]) return this.#learn(reader, slot, length);
    if (words[word] !== tail) return this.#learn(reader, slot, length);
    if (this.#score < SCORE_MAX) this.#score += 1;
    reader.at = at + length;
    return known;
  }

  #learn(reader: PlainSource, slot: number, length: number): string {
    const { view, at } = reader;
    const { strings, words } = this.#table!;
    const text = reader.copy(length);
    for (let word = 0; word < WORDS; word += 1) {
      const bytes = Math.min(4, Math.max(0, length - 4 * word));
      words[slot * WORDS + word] = bytes === 0 ? 0 : bytes === 4 ? view.getInt32(at + 4 * word, true) : tailOf(view, at + 4 * word, bytes);
    }
    strings[slot] = text;
    this.#score -= MISS_COST;
    if (this.#score < 0) this.#giveUp();
    return text;
  }

  #makeTable(): Table | null {
    if (tables >= TABLES_MAX) {
      this.#score = -1;
      return null;
    }
    tables += 1;
    this.#table = { strings: Array.from({ length: SLOTS }, () => ''), words: new Int32Array(SLOTS * WORDS) };
    return this.#table;
  }

  #giveUp(): void {
    this.#table = null;
    tables -= 1;
  }
}

/** The last word of a string, which has 0 to 3 bytes of it. */
export function tailOf(view: DataView, at: number, bytes: number): number {
  return view.getInt32(at, true) & ((1 << (8 * bytes)) - 1);
}
