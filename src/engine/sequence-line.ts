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
    let done = 0;
    while (this.#places[done]?.finished === true) done += 1;
    if (done === 0) return;
    const last = this.#places[done - 1]!.sequence;
    this.#places.splice(0, done);
    this.#onFinishedBelow((last + 1) | 0);
  }

  isFinishedBelow(sequence: number): boolean {
    const first = this.#places[0];
    return first === undefined || ((first.sequence - sequence) | 0) >= 0;
  }

  /** True when every sequence up to and including this one is primary. */
  isPrimaryThrough(sequence: number): boolean {
    for (const place of this.#places) {
      if (((place.sequence - sequence) | 0) > 0) return true; // By difference: sequences wrap.
      if (!place.primary) return false;
    }
    return true;
  }
}
