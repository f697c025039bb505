/** The bytes of a record that has begun and not ended, kept from one slab to the next in memory that stays. */

/** So many bytes are copied one by one: a view for them would cost more, and be garbage. */
const BY_HAND_BYTES_MAX = 1_024;

export class Tail {
  #bytes = new Uint8Array(BY_HAND_BYTES_MAX);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Of `bytes`, from `start` up to `end`. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(2 * length);
    this.#length = length;
    if (length > BY_HAND_BYTES_MAX) this.#bytes.set(bytes.subarray(start, end));
    else for (let index = 0; index < length; index += 1) this.#bytes[index] = bytes[start + index]!;
  }

  putInto(target: Uint8Array, at: number): void {
    const length = this.#length;
    if (length > BY_HAND_BYTES_MAX) target.set(this.#bytes.subarray(0, length), at);
    else for (let index = 0; index < length; index += 1) target[at + index] = this.#bytes[index]!;
  }
}
