/**
 * Which slabs wait for a worker. Main puts them in, whichever worker is free takes the oldest, and a worker with nothing to do sleeps on a word
 * here: neither costs a message or a task. A slab is taken by its state word, so an entry may be met twice, and one whose slab does not wait
 * any more is passed over.
 */
import { HeaderWord, QUEUE_ENTRIES } from './header-page.ts';
import type { Ring } from './ring.ts';

const MASK = QUEUE_ENTRIES - 1;

export class WorkQueue {
  readonly #ring: Ring;
  readonly #words: Int32Array;
  readonly #tail: number; // Int32 indexes.
  readonly #head: number;
  readonly #bell: number;
  readonly #round: number;
  readonly #entries: number;

  constructor(ring: Ring) {
    const header = ring.layout.headerStart / 4;
    this.#ring = ring;
    this.#words = ring.words;
    this.#tail = header + HeaderWord.queueTail;
    this.#head = header + HeaderWord.queueHead;
    this.#bell = header + HeaderWord.queueBell;
    this.#round = header + HeaderWord.queueRound;
    this.#entries = header + HeaderWord.queue;
  }

  /** Main: one more push would write over an entry that was not looked at. */
  get full(): boolean {
    return ((Atomics.load(this.#words, this.#tail) - Atomics.load(this.#words, this.#head)) | 0) >= QUEUE_ENTRIES;
  }

  /** Main: the slab is `waiting`. Wakes one worker that sleeps. */
  push(slab: number): void {
    const tail = Atomics.load(this.#words, this.#tail);
    Atomics.store(this.#words, this.#entries + (tail & MASK), slab);
    Atomics.store(this.#words, this.#tail, (tail + 1) | 0); // Pairs with the load in `take`.
    Atomics.add(this.#words, this.#bell, 1); // Pairs with `bell` and `whenRung` of the workers: one that looked before this does not fall asleep.
    Atomics.notify(this.#words, this.#bell, 1);
  }

  /** Main: forgets what waits; it can still be taken by whoever has looked before. */
  clear(): void {
    Atomics.store(this.#words, this.#head, Atomics.load(this.#words, this.#tail));
  }

  /** Main: workers that serve an earlier round go home, those that sleep included. */
  nextRound(): number {
    const round = (Atomics.load(this.#words, this.#round) + 1) | 0;
    Atomics.store(this.#words, this.#round, round);
    Atomics.add(this.#words, this.#bell, 1);
    Atomics.notify(this.#words, this.#bell);
    return round;
  }

  /** Worker: which round is on. */
  get round(): number {
    return Atomics.load(this.#words, this.#round);
  }

  /** Worker: read before `take`, for `whenRung` after it. */
  get bell(): number {
    return Atomics.load(this.#words, this.#bell);
  }

  /** Worker: the oldest waiting slab, which is its own from now on (`working`), or -1. */
  take(thread: number): number {
    const words = this.#words;
    for (let head = Atomics.load(words, this.#head); head !== Atomics.load(words, this.#tail); head = Atomics.load(words, this.#head)) {
      const slab = Atomics.load(words, this.#entries + (head & MASK));
      const taken = this.#ring.tryBegin(slab, thread);
      Atomics.compareExchange(words, this.#head, head, (head + 1) | 0); // Whoever looks first moves it; the others find it moved.
      if (taken) return slab;
    }
    return -1;
  }

  /** Worker: resolves when the bell has been rung since it was read. */
  async whenRung(bell: number): Promise<void> {
    const wait = (Atomics as unknown as WaitingAtomics).waitAsync(this.#words, this.#bell, bell);
    if (wait.async) await wait.value;
  }
}

/** ES2024; V8 has had it since 8.7, and TypeScript's library for ES2023 does not know it. */
interface WaitingAtomics {
  waitAsync(words: Int32Array, index: number, value: number): { async: boolean; value: Promise<string> | string };
}
