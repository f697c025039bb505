/** Finds a repeated key among the keys of the open objects at a near constant cost per key, whatever the keys are. */

/** Up to this many keys an object is searched entry by entry; beyond, its keys go into a hash table. */
const LINEAR = 16;
export const LINEAR_MAX: number = LINEAR;
/** Ints per entry: where the key begins in the output, with its header, and where in the input. */
const ENTRY = 2;
export const ENTRY_INTS: number = ENTRY;
const ENTRIES_MIN = 256;
const GOLDEN = 0x9e37_79b1;

/** Ten bits that tell most short keys apart: length, last byte and one between. The key lies at [from, end) with its header. */
export function keyHash(output: Uint8Array, from: number, end: number): number {
  return Math.imul(((end - from) << 16) | (output[end - 1]! << 8) | output[(from + end) >> 1]!, GOLDEN) >>> 22;
}

/**
 * Entries form a stack: an object's keys lie above those of the objects around it and go when it closes. So do their slots
 * in the table: emptying the last ones taken restores linear probing to what it was, and no tombstones are needed.
 */
export class KeyStack {
  count = 0;
  entries: Int32Array = new Int32Array(ENTRIES_MIN * ENTRY);
  deadCount = 0;
  #dead: Int32Array = new Int32Array(16);
  #table: Int32Array = new Int32Array(ENTRIES_MIN * 2); // entry index + 1, 0 is free; at most half full
  #tableCount = 0;
  /** By entry, of those in the table only. */
  #hashes: Int32Array = new Int32Array(ENTRIES_MIN);
  #slots: Int32Array = new Int32Array(ENTRIES_MIN);
  /** Who does not know them cannot make keys collide. */
  readonly #seed: number;
  readonly #factor: number;

  constructor() {
    const [seed = 0, factor = 0] = crypto.getRandomValues(new Int32Array(2));
    this.#seed = seed;
    this.#factor = factor | 1;
  }

  reset(): void {
    if (this.#tableCount > 0) this.#table.fill(0); // a refused record leaves its keys behind
    this.#tableCount = 0;
    this.count = 0;
    this.deadCount = 0;
  }

  /**
   * The key at [from, end) of the output, header and all, may repeat one of the object whose entries begin at `base`. Then the
   * earlier one is dead from now on. Its entry was written behind the last one, and counts from now on if it is new.
   */
  add(output: Uint8Array, end: number, base: number): void {
    const index = this.count;
    const older = index - base < LINEAR ? this.#search(output, end, base) : this.#insertAll(output, base);
    if (older < 0) this.count = index + 1;
    else this.#bury(older, index);
  }

  /** The object whose entries begin at `base` is closed. */
  close(base: number): void {
    if (this.count - base > LINEAR) this.#leaveTable(base);
    this.count = base;
  }

  /** Offsets in the input of the keys that a later one repeats, ascending. */
  sortedDead(): Int32Array {
    return this.#dead.subarray(0, this.deadCount).sort();
  }

  #search(output: Uint8Array, end: number, base: number): number {
    const from = this.entries[this.count * ENTRY]!;
    for (let other = base; other < this.count; other += 1) {
      if (sameKey(output, from, end, this.entries[other * ENTRY]!)) return other;
    }
    return -1;
  }

  /** The older entry stays and now speaks for the newer key. */
  #bury(older: number, newer: number): void {
    if (this.deadCount === this.#dead.length) this.#dead = doubled(this.#dead);
    this.#dead[this.deadCount] = this.entries[older * ENTRY + 1]!;
    this.deadCount += 1;
    this.entries[older * ENTRY + 1] = this.entries[newer * ENTRY + 1]!;
  }

  /** With the first key too many all before it enter the table, too. */
  #insertAll(output: Uint8Array, base: number): number {
    if (this.count - base === LINEAR) for (let index = base; index < this.count; index += 1) this.#insert(output, index, base);
    return this.#insert(output, this.count, base);
  }

  /** Returns the entry with the same key when there is one. */
  #insert(output: Uint8Array, index: number, base: number): number {
    if (2 * (this.#tableCount + 1) > this.#table.length) this.#growTable();
    const table = this.#table;
    const from = this.entries[index * ENTRY]!;
    const end = keyEnd(output, from);
    const hash = this.#hash(output, from, end, base);
    let slot = hash & (table.length - 1);
    for (; table[slot] !== 0; slot = (slot + 1) & (table.length - 1)) {
      const other = table[slot]! - 1;
      if (this.#hashes[other] === hash && other >= base && sameKey(output, from, end, this.entries[other * ENTRY]!)) return other;
    }
    table[slot] = index + 1;
    this.#hashes[index] = hash;
    this.#slots[index] = slot;
    this.#tableCount += 1;
    return -1;
  }

  /** Each object has hashes of its own (by its base): equal keys of nested objects would crowd the table otherwise. */
  #hash(output: Uint8Array, from: number, end: number, base: number): number {
    let hash = this.#seed ^ Math.imul(base, GOLDEN);
    for (let at = from; at < end; at += 1) {
      hash = Math.imul(hash ^ output[at]!, this.#factor);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, GOLDEN);
    return hash ^ (hash >>> 16);
  }

  #leaveTable(base: number): void {
    for (let index = base; index < this.count; index += 1) this.#table[this.#slots[index]!] = 0;
    this.#tableCount -= this.count - base;
  }

  /** In the order of the stack, so that closing still undoes the last insertions first. */
  #growTable(): void {
    const old = this.#table;
    const table = new Int32Array(2 * old.length);
    const inside = old.filter((entry) => entry !== 0).sort();
    for (const entry of inside) {
      let slot = this.#hashes[entry - 1]! & (table.length - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (table.length - 1);
      table[slot] = entry;
      this.#slots[entry - 1] = slot;
    }
    this.#table = table;
  }

  /** Makes room for more entries. */
  enlarge(): void {
    this.entries = doubled(this.entries);
    this.#hashes = doubled(this.#hashes);
    this.#slots = doubled(this.#slots);
  }
}

function sameKey(output: Uint8Array, from: number, end: number, other: number): boolean {
  let right = other;
  for (let left = from; left < end; left += 1) {
    if (output[left] !== output[right]) return false; // the header differs with the length
    right += 1;
  }
  return true;
}

/** Where the msgpack string that begins at `from` ends. */
function keyEnd(output: Uint8Array, from: number): number {
  const head = output[from]!;
  if (head < 0xc0) return from + 1 + (head & 31);
  let length = 0;
  const bytes = head === 0xdb ? 4 : head - 0xd8;
  for (let index = 1; index <= bytes; index += 1) length = (length << 8) | output[from + index]!;
  return from + 1 + bytes + length;
}

function doubled(ints: Int32Array): Int32Array {
  const larger = new Int32Array(2 * ints.length);
  larger.set(ints);
  return larger;
}
