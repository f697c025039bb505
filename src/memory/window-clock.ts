/** Rotates the window's generations without a pause: a table becomes empty because its stamp moves on, and old stamps are swept in small steps. */
import { strict as assert } from 'node:assert';
import type { WindowStats } from '../api/report.ts';
import {
  ABANDONED,
  EntryState,
  metaIndex,
  slotOf,
  stampOf,
  STAMP_MASK,
  STAMP_SHIFT,
  STATE_MASK,
  windowBytes,
  WindowWord,
} from './window-table.ts';

const SWEEP_GENERATIONS = 64; // The whole window is swept once in so many rotations: half as many uses of a table, far below the 128 that a stamp can tell.
const SWEEP_PLACES_MAX = 4_096; // Per call; some 20 µs.
const TOOK_STEP_MAX = 64;

export interface WindowClockOptions {
  readonly words: Int32Array;
  readonly header: number;
  readonly entries: number;
  readonly places: number;
  readonly capacity: number;
}

export class WindowClock {
  readonly #words: Int32Array;
  readonly #header: number;
  readonly #entries: number;
  readonly #places: number;
  readonly #capacity: number;
  readonly #generationMax: number;
  readonly #tookStep: number;
  #tookGeneration = 0;
  #tookUnsaid = 0;
  // Main only.
  #windowMs = 0;
  #currentFromMs = 0;
  #previousFromMs = 0;
  #dropped = false;
  #earlyRotations = 0;
  #sweepAt = 0;
  #sweepLeft = 0;

  constructor({ words, header, entries, places, capacity }: WindowClockOptions) {
    this.#words = words;
    this.#header = header;
    this.#entries = entries;
    this.#places = places;
    this.#capacity = capacity;
    this.#generationMax = Math.floor(capacity / 2);
    // Counting in steps keeps the shared word out of the hot path; small windows count exactly.
    this.#tookStep = Math.min(TOOK_STEP_MAX, Math.max(1, this.#generationMax >> 9));
  }

  start(windowMs: number, nowMs: number): void {
    assert(windowMs > 0, 'window length');
    this.#windowMs = windowMs;
    this.#currentFromMs = nowMs;
    this.#previousFromMs = nowMs;
    Atomics.store(this.#words, this.#header + WindowWord.generation, 2); // Workers start later; the message that starts them orders it too.
  }

  /** Hot, any thread: entries of `generation` were taken. Up to a step per thread is not yet said. */
  took(generation: number, entries: number): void {
    if (this.#tookGeneration !== generation) {
      this.#tookGeneration = generation;
      this.#tookUnsaid = 0;
    }
    this.#tookUnsaid += entries;
    if (this.#tookUnsaid < this.#tookStep) return;
    Atomics.add(this.#words, this.#takenAt(generation), this.#tookUnsaid); // Only counts; pairs with the load in #taken.
    this.#tookUnsaid = 0;
  }

  /** Main: the previous generation is given up when its youngest id is older than the window, or, early, when the current one is full. */
  rotate(nowMs: number): boolean {
    if (this.#sweepLeft > 0) this.#sweep(SWEEP_PLACES_MAX);
    const generation = this.#generation();
    const taken = this.#taken(generation);
    const full = taken >= this.#generationMax || Atomics.load(this.#words, this.#header + WindowWord.full) === generation; // Pairs with the store in #full.
    const due = nowMs - this.#currentFromMs >= this.#windowMs;
    if (!full && !due) return false;
    const older = this.#taken((generation - 1) | 0);
    if (!full && taken === 0 && older === 0) {
      this.#currentFromMs = nowMs; // An idle window needs no new generation.
      return false;
    }
    if (older > 0) this.#dropped = true;
    if (older > 0 && !due) this.#earlyRotations += 1;
    this.#sweep(this.#sweepLeft); // What the last rotation left; normally nothing.
    this.#sweepLeft = Math.ceil(this.#places / SWEEP_GENERATIONS);
    this.#previousFromMs = this.#currentFromMs;
    this.#currentFromMs = nowMs;
    const next = (generation + 1) | 0;
    Atomics.store(this.#words, this.#takenAt(next), 0);
    Atomics.store(this.#words, this.#header + WindowWord.generation, next); // Pairs with both loads in claim.
    return true;
  }

  stats(nowMs: number): WindowStats {
    const generation = this.#generation();
    return {
      capacity: this.#capacity,
      ids: Math.min(this.#capacity, this.#taken(generation) + this.#taken((generation - 1) | 0)),
      bytes: windowBytes(this.#capacity),
      effectiveMs: this.#dropped ? Math.min(this.#windowMs, Math.max(0, nowMs - this.#previousFromMs)) : this.#windowMs,
      earlyRotations: this.#earlyRotations,
    };
  }

  #generation(): number {
    return Atomics.load(this.#words, this.#header + WindowWord.generation); // Main wrote it itself.
  }

  #takenAt(generation: number): number {
    return this.#header + ((generation & 1) === 0 ? WindowWord.takenEven : WindowWord.takenOdd);
  }

  #taken(generation: number): number {
    return Atomics.load(this.#words, this.#takenAt(generation)); // Pairs with the add in took.
  }

  /** Clears stale entries, so that a stamp that comes round again after 256 uses meets none. A reserved one is given up, not cleared: its reserver may yet write. */
  #sweep(placesMax: number): void {
    const words = this.#words;
    const generation = this.#generation();
    const stamps = [stampOf(generation), stampOf((generation - 1) | 0)]; // By distance from the current generation.
    for (let left = Math.min(placesMax, this.#sweepLeft); left > 0; left -= 1, this.#sweepLeft -= 1) {
      for (let table = 0; table < 2; table += 1) {
        const at = this.#entries + metaIndex(slotOf(this.#sweepAt, table));
        const meta = Atomics.load(words, at);
        if (meta === 0 || meta === ABANDONED || ((meta >>> STAMP_SHIFT) & STAMP_MASK) === stamps[(generation ^ table) & 1]) continue;
        // Pairs with the reserving and the publishing exchange: the one that comes second fails and looks again.
        Atomics.compareExchange(words, at, meta, (meta & STATE_MASK) === EntryState.reserved ? ABANDONED : 0);
      }
      this.#sweepAt += 1;
      if (this.#sweepAt === this.#places) this.#sweepAt = 0;
    }
  }
}
