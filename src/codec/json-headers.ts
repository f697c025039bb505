/** Map and array headers: one byte is written at once, and all that must be longer are put in by one move per record. */
import type { PathTree } from './json-paths.ts';

const SHORT_MAX = 15;
const HEADER_INTS = 2;
/** Below this a loop is faster than copyWithin, which costs some 100 ns on shared memory. */
const MOVE_BY_LOOP_MAX = 64;

/**
 * How many values a container holds is known at its end. A move at each end would cost depth times size, so the long headers
 * are remembered in the order of their positions, and the output is opened up from its end in one pass.
 */
export class Headers {
  #list: Int32Array = new Int32Array(64); // position, count: positive for arrays, ~count for maps, 0 for nothing to do
  count = 0;
  /** Bytes that the headers seen so far will need besides their first. */
  grow = 0;

  reset(): void {
    this.count = 0;
    this.grow = 0;
  }

  /** Returns the number by which `close` knows the container. */
  open(position: number): number {
    const own = this.count;
    if ((own + 1) * HEADER_INTS > this.#list.length) this.#enlarge();
    this.#list[own * HEADER_INTS] = position;
    this.#list[own * HEADER_INTS + 1] = 0;
    this.count = own + 1;
    return own;
  }

  close(output: Uint8Array, own: number, count: number, isMap: boolean): void {
    if (count <= SHORT_MAX) {
      output[this.#list[own * HEADER_INTS]!] = (isMap ? 0x80 : 0x90) | count;
      if (this.count === own + 1) this.count = own; // nothing longer inside: forget it
      return;
    }
    this.#list[own * HEADER_INTS + 1] = isMap ? ~count : count;
    this.grow += count < 0x1_0000 ? 2 : 4;
  }

  /** Takes back what was opened from `own` on: their bytes are dropped from the output. */
  drop(own: number): void {
    for (let header = own; header < this.count; header += 1) {
      const count = this.#list[header * HEADER_INTS + 1]!;
      if (count !== 0) this.grow -= (count < 0 ? ~count : count) < 0x1_0000 ? 2 : 4;
    }
    this.count = own;
  }

  /** `end` is where the output ends so far; there must be room for `grow` bytes more. */
  write(output: Uint8Array, end: number, paths: PathTree): void {
    let rest = this.grow;
    let segmentEnd = end;
    for (let at = (this.count - 1) * HEADER_INTS; rest > 0; at -= HEADER_INTS) {
      const signed = this.#list[at + 1]!;
      if (signed === 0) continue;
      const position = this.#list[at]!;
      const count = signed < 0 ? ~signed : signed;
      const bytes = count < 0x1_0000 ? 2 : 4;
      moveUp(output, position + 1, segmentEnd, rest);
      rest -= bytes;
      const header = position + rest;
      output[header] = (signed < 0 ? 0xde : 0xdc) + (bytes >>> 2);
      for (let index = 1; index <= bytes; index += 1) output[header + index] = count >>> (8 * (bytes - index));
      paths.shift(position, bytes);
      segmentEnd = position;
    }
  }

  #enlarge(): void {
    const larger = new Int32Array(2 * this.#list.length);
    larger.set(this.#list);
    this.#list = larger;
  }
}

function moveUp(output: Uint8Array, from: number, end: number, by: number): void {
  if (end - from > MOVE_BY_LOOP_MAX) {
    output.copyWithin(from + by, from, end);
    return;
  }
  for (let at = end - 1; at >= from; at -= 1) output[at + by] = output[at]!;
}
