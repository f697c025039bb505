/** Which sequences have settled: the watermarks that decide when an id counts as committed and when a copy counts as duplicate. */

/** A slab's place in the line; one per dispatch. */
export interface Place {
  readonly sequence: number;
  /** Every batch of its records has settled, and failed ones are rolled back. */
  primary: boolean;
  /** Its tentative copies have settled too. */
  finished: boolean;
}

export class SequenceLine {
  readonly #places: Place[] = [];
  readonly #onFinishedBelow: (sequence: number) => void;

  /** `onFinishedBelow` hears the first sequence that is not finished, whenever it moves. */
  constructor(onFinishedBelow: (sequence: number) => void) {
    this.#onFinishedBelow = onFinishedBelow;
  }

  enter(sequence: number): Place {
    const place = { sequence, primary: false, finished: false };
    this.#places.push(place);
    return place;
  }

  finish(place: Place): void {
    place.finished = true;
    let below: number | null = null;
    // As many as there are slabs at most: shifting them is cheap, and makes no array.
    for (; this.#places[0]?.finished === true; this.#places.shift()) below = (this.#places[0].sequence + 1) | 0;
    if (below !== null) this.#onFinishedBelow(below);
  }

  isFinishedBelow(sequence: number): boolean {
    const first = this.#places[0];
    return first === undefined || ((first.sequence - sequence) | 0) >= 0;
  }

  /** True when every sequence up to and including this one is primary. */
  isPrimaryThrough(sequence: number): boolean {
    for (let index = 0; index < this.#places.length; index += 1) {
      const place = this.#places[index]!;
      if (((place.sequence - sequence) | 0) > 0) return true; // By difference: sequences wrap.
      if (!place.primary) return false;
    }
    return true;
  }
}
