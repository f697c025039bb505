/** Which sequences have settled: the watermarks that decide when an id counts as committed and when a copy counts as duplicate. */

import { Fifo } from '../memory/fifo.ts';

/** A slab's place in the line; one per dispatch. */
export interface Place {
  readonly sequence: number;
  /** Every batch of its records has settled, and failed ones are rolled back. */
  primary: boolean;
  /** Its tentative copies have settled too. */
  finished: boolean;
}

export class SequenceLine {
  readonly #places: Fifo<Place> = new Fifo();
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
    for (let first = this.#places.first; first?.finished === true; first = this.#places.first) {
      below = (first.sequence + 1) | 0;
      this.#places.shift();
    }
    if (below !== null) this.#onFinishedBelow(below);
  }

  isFinishedBelow(sequence: number): boolean {
    const { first } = this.#places;
    return first === undefined || ((first.sequence - sequence) | 0) >= 0;
  }

  /** True when every sequence up to and including this one is primary. */
  isPrimaryThrough(sequence: number): boolean {
    for (let index = 0; index < this.#places.length; index += 1) {
      const place = this.#places.at(index)!;
      if (((place.sequence - sequence) | 0) > 0) return true; // By difference: sequences wrap.
      if (!place.primary) return false;
    }
    return true;
  }
}
