/** The messages of a fast ingest batch that are not acked, by batch sequence, in typed arrays; their bytes are referred to until they are given away. */
import type { OutboundMessage } from '../broker.ts';

export interface Doubt {
  readonly token: number;
  readonly subject: string;
  /** Payload; a view of memory that stays as it is until the outcome is told. */
  readonly payload: Uint8Array;
}

/** Acks awaited at a time. With two the broker runs dry whenever the event loop is some milliseconds late; eight are no faster than four. */
export const ACKS_OUT = 4;
/** A power of two above the largest window: that many flows. */
export const FAST_PENDING_MAX = 2_048;
const MASK: number = FAST_PENDING_MAX - 1;

export class FastPending {
  /** Of the batch, from 1: the last one sent and the last one acked. */
  sent = 0;
  acked = 0;
  bytes = 0;
  readonly #token = new Float64Array(FAST_PENDING_MAX);
  readonly #start = new Float64Array(FAST_PENDING_MAX);
  readonly #payload = new Float64Array(FAST_PENDING_MAX);
  readonly #end = new Float64Array(FAST_PENDING_MAX);
  readonly #subject: string[] = new Array<string>(FAST_PENDING_MAX).fill('');
  readonly #memory: Uint8Array[] = new Array<Uint8Array>(FAST_PENDING_MAX).fill(NONE);

  get size(): number {
    return this.sent - this.acked;
  }

  /** The message's batch sequence. */
  add({ subject, memory, start, payloadStart, end }: OutboundMessage, token: number): number {
    const sequence = ++this.sent;
    const slot = sequence & MASK;
    this.#token[slot] = token;
    this.#start[slot] = start;
    this.#payload[slot] = payloadStart;
    this.#end[slot] = end;
    this.#subject[slot] = subject;
    this.#memory[slot] = memory;
    this.bytes += end - start;
    return sequence;
  }

  /** Gives away the oldest: its token. */
  take(): number {
    const slot = ++this.acked & MASK;
    this.bytes -= this.#end[slot]! - this.#start[slot]!;
    return this.#token[slot]!;
  }

  /** All that is not acked, oldest first, and begins a new batch. */
  reset(): Doubt[] {
    const all = this.list();
    this.sent = this.acked = this.bytes = 0;
    return all;
  }

  list(): Doubt[] {
    return Array.from({ length: this.size }, (_, index) => {
      const slot = (this.acked + 1 + index) & MASK;
      return {
        token: this.#token[slot]!,
        subject: this.#subject[slot]!,
        payload: this.#memory[slot]!.subarray(this.#payload[slot], this.#end[slot]),
      };
    });
  }

  /** The last message's subject: where the batch's own messages go. */
  get lastSubject(): string {
    return this.#subject[this.sent & MASK]!;
  }
}

const NONE: Uint8Array = new Uint8Array(0);
