/**
 * Memory for the values of records, used again: the library reads a value until the broker's answer, when the shared memory it came from
 * has long been free. Memory of 64 KiB for each anew costs 70 µs, most of it for pages that are touched for the first time.
 */

/** Smaller ones come from Node's own pool, for little. */
const SHARED_BYTES_MAX = 4_095;
/** Sizes differ a little from value to value. */
const STEP_BYTES = 16_384;
const KEPT_BYTES_MAX = 16 * 1_048_576;

export class ValueMemory {
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;

  copy(from: Uint8Array): Buffer {
    if (from.length <= SHARED_BYTES_MAX) return Buffer.from(from);
    const value = Buffer.from(this.#take(from.length), 0, from.length);
    value.set(from);
    return value;
  }

  /** Nobody reads this value any more. */
  give({ length, buffer }: Buffer): void {
    if (length <= SHARED_BYTES_MAX || this.#freeBytes + buffer.byteLength > KEPT_BYTES_MAX) return;
    this.#free.push(buffer as ArrayBuffer);
    this.#freeBytes += buffer.byteLength;
  }

  /** The last one given, which is the likeliest to be in a cache; one that is too small is let go. */
  #take(bytes: number): ArrayBuffer {
    const last = this.#free.pop();
    this.#freeBytes -= last?.byteLength ?? 0;
    return last !== undefined && last.byteLength >= bytes ? last : new ArrayBuffer(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
  }
}
