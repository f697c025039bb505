/** The shapes of maps seen so far, by their number of keys: records of one stream repeat their keys, and mostly stand in one order. */
import { compileMap } from './map-code.ts';
import type { ReadMap } from './map-code.ts';
import type { PlainSource } from './repeated-strings.ts';

const KEYS_MAX = 64;
const SHAPES_PER_COUNT_MAX = 4;
/** Code is made for no more than this many shapes in a thread, whatever the data. */
const SHAPES_MAX = 256;
const MISSES_MAX = 256;

interface ShapesOfCount {
  /** Bytes of each key with its head. */
  readonly heads: (readonly Uint8Array[])[];
  readonly reads: ReadMap[];
  misses: number;
}

export class MapShapes {
  readonly #byCount: (ShapesOfCount | undefined)[] = [];
  #shapes = 0;

  /** Null when no known shape has the keys of the map of `count` pairs at `reader.at`; the reader stands where it stood then. */
  tryRead(count: number, reader: PlainSource): object | null {
    const known = count <= KEYS_MAX ? this.#byCount[count] : undefined;
    if (known === undefined || known.misses > MISSES_MAX) return null;
    const { at, view, bytes } = reader;
    for (const read of known.reads) {
      const map = read(reader, view, bytes);
      if (map !== null) return map;
      reader.moveBack(at);
    }
    known.misses += 1; // Never forgiven: a stream without shapes stops trying.
    return null;
  }

  /** Another shape of so many keys would be learnt. */
  hasRoom(count: number): boolean {
    return count > 0 && count <= KEYS_MAX && this.#shapes < SHAPES_MAX && (this.#byCount[count]?.reads.length ?? 0) < SHAPES_PER_COUNT_MAX;
  }

  /** `heads[i]` is the msgpack form of `names[i]`, none of which is `__proto__`. */
  learn(names: readonly string[], heads: readonly Uint8Array[]): void {
    const known = (this.#byCount[names.length] ??= { heads: [], reads: [], misses: 0 });
    // While its first map was read an inner one of the same keys may have been learnt.
    if (known.heads.some((others) => others.every((head, index) => Buffer.compare(head, heads[index]!) === 0))) return;
    this.#shapes += 1;
    const read = compileMap(names, heads);
    if (read === null) {
      this.#shapes = SHAPES_MAX;
      return;
    }
    known.heads.push(heads);
    known.reads.push(read);
  }
}
