/**
 * What is on the wire and not answered, in typed arrays: no object, promise or timer per message. An id holds slot and epoch, so an
 * answer that comes after its slot was given away matches nothing.
 */

const FREE = 255; // Links are numbered below this.
const SLOTS_MAX = 65_536;

export class PendingTable {
  readonly capacity: number;
  readonly #token: Float64Array;
  readonly #sentAtMs: Float64Array;
  readonly #order: Float64Array;
  readonly #flush: Float64Array;
  readonly #bytes: Float64Array;
  readonly #epoch: Uint32Array;
  readonly #link: Uint8Array;
  readonly #subject: string[];
  readonly #free: Int32Array;
  #freeCount: number;
  #sent = 0;

  constructor(messagesMax: number) {
    const capacity = Math.min(SLOTS_MAX, Math.max(1, messagesMax));
    this.capacity = capacity;
    this.#token = new Float64Array(capacity);
    this.#sentAtMs = new Float64Array(capacity);
    this.#order = new Float64Array(capacity);
    this.#flush = new Float64Array(capacity);
    this.#bytes = new Float64Array(capacity);
    this.#epoch = new Uint32Array(capacity);
    this.#link = new Uint8Array(capacity).fill(FREE);
    this.#subject = new Array<string>(capacity).fill('');
    this.#free = Int32Array.from({ length: capacity }, (_, index) => capacity - 1 - index);
    this.#freeCount = capacity;
  }

  get size(): number {
    return this.capacity - this.#freeCount;
  }

  /** The slot taken, or -1. */
  claim(link: number, token: number, bytes: number, subject: string): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[--this.#freeCount]!;
    this.#link[slot] = link;
    this.#token[slot] = token;
    this.#bytes[slot] = bytes;
    this.#subject[slot] = subject;
    this.#order[slot] = this.#sent++;
    this.#epoch[slot] = this.#epoch[slot]! + 1;
    return slot;
  }

  sent(slot: number, nowMs: number, flush: number): void {
    this.#sentAtMs[slot] = nowMs;
    this.#flush[slot] = flush;
  }

  release(slot: number): void {
    this.#link[slot] = FREE;
    this.#subject[slot] = '';
    this.#free[this.#freeCount++] = slot;
  }

  /** What the reply subject carries: below 2^48. */
  idOf(slot: number): number {
    return this.#epoch[slot]! * this.capacity + slot;
  }

  /** The slot an answer on this link belongs to, or -1 for one that comes too late. */
  slotOf(id: number, link: number): number {
    const slot = id % this.capacity;
    return this.#link[slot] === link && this.idOf(slot) === id ? slot : -1;
  }

  token(slot: number): number {
    return this.#token[slot]!;
  }

  bytes(slot: number): number {
    return this.#bytes[slot]!;
  }

  subject(slot: number): string {
    return this.#subject[slot]!;
  }

  sentAtMs(slot: number): number {
    return this.#sentAtMs[slot]!;
  }

  /** Slots in flight on a link, in the order they were sent. */
  onLink(link: number, matches: (slot: number) => boolean = () => true): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.capacity; slot++) if (this.#link[slot] === link && matches(slot)) slots.push(slot);
    return slots.sort((a, b) => this.#order[a]! - this.#order[b]!);
  }

  /**
   * Slots on a link sent before `deadlineMs`. One whose bytes have not left the process yet has not begun to wait for its answer:
   * its clock starts again.
   */
  expired(link: number, options: { readonly deadlineMs: number; readonly nowMs: number; readonly flushDone: number }): number[] {
    return this.onLink(link, (slot) => {
      if (this.#flush[slot]! > options.flushDone) this.#sentAtMs[slot] = options.nowMs;
      return this.#sentAtMs[slot]! < options.deadlineMs;
    });
  }
}
