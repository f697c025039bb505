/** Finds a repeated key among the keys of the open objects at a near constant cost per key, whatever the keys are. */

/** Up to this many keys an object is searched entry by entry; beyond, its keys go into a hash table. */
const LINEAR_MAX = 16;
/** Ints per entry: fingerprint or hash, offset and length of the key in the output, its offset in the input, its slot. */
const ENTRY_INTS = 5;
const FROM = 1;
const LENGTH = 2;
const INPUT_AT = 3;
const SLOT = 4;
const ENTRIES_MIN = 256;
const NO_SLOT = -1;
const GOLDEN = 0x9e37_79b1;

/**
 * Entries form a stack: an object's keys lie above those of the objects around it and go when it closes. So do their slots
 * in the table: emptying the last ones taken restores linear probing to what it was, and no tombstones are needed.
 */
export class KeyStack {
  #count = 0;
  /** First entry of the innermost object, and one bit for each kind of fingerprint among its keys. */
  #base = 0;
  #kinds = 0;
  #level = 0;
  readonly #outer: Int32Array; // #base and #kinds of the objects around it
  #entries: Int32Array = new Int32Array(ENTRIES_MIN * ENTRY_INTS);
  #table: Int32Array = new Int32Array(ENTRIES_MIN * 2); // entry index + 1, 0 is free; at most half full
  #tableCount = 0;
  #dead: Int32Array = new Int32Array(16);
  #deadCount = 0;
  /** Who does not know them cannot make keys collide. */
  readonly #seed: number;
  readonly #factor: number;

  constructor(depthMax: number) {
    this.#outer = new Int32Array(2 * depthMax);
    const [seed = 0, factor = 0] = crypto.getRandomValues(new Int32Array(2));
    this.#seed = seed;
    this.#factor = factor | 1;
  }

  reset(): void {
    while (this.#level > 0) this.close(); // a refused record leaves objects open
    this.#deadCount = 0;
  }

  get deadCount(): number {
    return this.#deadCount;
  }

  open(): void {
    this.#outer[2 * this.#level] = this.#base;
    this.#outer[2 * this.#level + 1] = this.#kinds;
    this.#level += 1;
    this.#base = this.#count;
    this.#kinds = 0;
  }

  close(): void {
    if (this.#count - this.#base > LINEAR_MAX) this.#leaveTable();
    this.#count = this.#base;
    this.#level -= 1;
    this.#base = this.#outer[2 * this.#level]!;
    this.#kinds = this.#outer[2 * this.#level + 1]!;
  }

  /** The key [from, end) of the output joins the innermost object. An earlier key that it repeats is dead from now on. */
  add(output: Uint8Array, from: number, end: number, inputAt: number): void {
    const index = this.#count;
    if ((index + 1) * ENTRY_INTS > this.#entries.length) this.#entries = doubled(this.#entries);
    const entries = this.#entries;
    const at = index * ENTRY_INTS;
    const length = end - from;
    const print = length === 0 ? 0 : (length << 16) ^ (output[from]! << 8) ^ output[end - 1]!;
    entries[at] = print;
    entries[at + FROM] = from;
    entries[at + LENGTH] = length;
    entries[at + INPUT_AT] = inputAt;
    entries[at + SLOT] = NO_SLOT;
    if (index - this.#base < LINEAR_MAX) {
      const kind = 1 << (Math.imul(print, GOLDEN) >>> 27);
      const seen = (this.#kinds & kind) !== 0; // most keys are new, and most of these need no search
      this.#kinds |= kind;
      if (seen && this.#repeats(output, at)) return;
    } else {
      if (index - this.#base === LINEAR_MAX) this.#enterTable(output);
      if (!this.#insert(output, index)) return;
    }
    this.#count = index + 1;
  }

  /** Offsets in the input of the keys that a later one repeats, ascending. */
  sortedDead(): Int32Array {
    return this.#dead.subarray(0, this.#deadCount).sort();
  }

  #repeats(output: Uint8Array, at: number): boolean {
    const entries = this.#entries;
    const print = entries[at]!;
    for (let other = this.#base * ENTRY_INTS; other < at; other += ENTRY_INTS) {
      if (entries[other] === print && sameKey(output, entries, at, other)) {
        this.#bury(other, at);
        return true;
      }
    }
    return false;
  }

  /** The older entry stays and now speaks for the newer key. */
  #bury(older: number, newer: number): void {
    if (this.#deadCount === this.#dead.length) this.#dead = doubled(this.#dead);
    this.#dead[this.#deadCount] = this.#entries[older + INPUT_AT]!;
    this.#deadCount += 1;
    this.#entries[older + INPUT_AT] = this.#entries[newer + INPUT_AT]!;
  }

  #enterTable(output: Uint8Array): void {
    for (let index = this.#base; index < this.#count; index += 1) this.#insert(output, index);
  }

  /** False when the key is there already. */
  #insert(output: Uint8Array, index: number): boolean {
    if (2 * (this.#tableCount + 1) > this.#table.length) this.#growTable();
    const entries = this.#entries;
    const table = this.#table;
    const at = index * ENTRY_INTS;
    const hash = this.#hash(output, entries[at + FROM]!, entries[at + LENGTH]!);
    entries[at] = hash;
    let slot = hash & (table.length - 1);
    for (; table[slot] !== 0; slot = (slot + 1) & (table.length - 1)) {
      const other = (table[slot]! - 1) * ENTRY_INTS;
      if (entries[other] === hash && other >= this.#base * ENTRY_INTS && sameKey(output, entries, at, other)) {
        this.#bury(other, at);
        return false;
      }
    }
    table[slot] = index + 1;
    entries[at + SLOT] = slot;
    this.#tableCount += 1;
    return true;
  }

  /** Each object has hashes of its own (by its base): equal keys of nested objects would crowd the table otherwise. */
  #hash(output: Uint8Array, from: number, length: number): number {
    let hash = this.#seed ^ Math.imul(this.#base, GOLDEN);
    for (let at = from; at < from + length; at += 1) {
      hash = Math.imul(hash ^ output[at]!, this.#factor);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ length, GOLDEN);
    return hash ^ (hash >>> 16);
  }

  #leaveTable(): void {
    for (let index = this.#base; index < this.#count; index += 1) this.#table[this.#entries[index * ENTRY_INTS + SLOT]!] = 0;
    this.#tableCount -= this.#count - this.#base;
  }

  /** In the order of the stack, so that closing still undoes the last insertions first. */
  #growTable(): void {
    const table = new Int32Array(2 * this.#table.length);
    for (let at = 0; at < this.#count * ENTRY_INTS; at += ENTRY_INTS) {
      if (this.#entries[at + SLOT] === NO_SLOT) continue;
      let slot = this.#entries[at]! & (table.length - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (table.length - 1);
      table[slot] = at / ENTRY_INTS + 1;
      this.#entries[at + SLOT] = slot;
    }
    this.#table = table;
  }
}

function sameKey(output: Uint8Array, entries: Int32Array, left: number, right: number): boolean {
  const length = entries[left + LENGTH]!;
  if (entries[right + LENGTH] !== length) return false;
  const leftFrom = entries[left + FROM]!;
  const rightFrom = entries[right + FROM]!;
  for (let index = 0; index < length; index += 1) {
    if (output[leftFrom + index] !== output[rightFrom + index]) return false;
  }
  return true;
}

function doubled(ints: Int32Array): Int32Array {
  const larger = new Int32Array(2 * ints.length);
  larger.set(ints);
  return larger;
}
