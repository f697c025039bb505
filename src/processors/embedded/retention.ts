/** Removes the oldest messages beyond the limits, in small steps after writes, so that a publish never waits for a large removal. */
import type { ResolvedOptions } from '../../config/resolved.ts';
import { committed } from './commit.ts';
import { RecordView } from './record.ts';
import type { Store } from './store.ts';
import { firstSequence, readHead, readRecord } from './store.ts';

/** Of one removal; each is a transaction in the queue of the publishes. */
const STEP_MESSAGES_MAX = 16_384;
const STEP_BYTES_MAX = 64 * 1_048_576;
/** Messages grow old without any write. */
const AGE_CHECK_MS = 1_000;

export type RetentionLimits = Pick<ResolvedOptions, 'maxAgeMs' | 'maxBytes' | 'maxMessages'>;

export class Retention {
  readonly #store: Store;
  readonly #limits: RetentionLimits;
  readonly #onError: (error: unknown) => void;
  readonly #view = new RecordView();
  readonly #timer: NodeJS.Timeout | null;
  #running: Promise<void> | null = null;
  #closed = false;
  removedMessages = 0;
  removedBytes = 0;

  constructor(store: Store, limits: RetentionLimits, onError: (error: unknown) => void) {
    this.#store = store;
    this.#limits = limits;
    this.#onError = onError;
    this.#timer = limits.maxAgeMs > 0 ? setInterval(this.kick, AGE_CHECK_MS).unref() : null;
    this.kick();
  }

  /** Cheap when there is nothing to do; one removal at a time. */
  readonly kick = (): void => {
    const { maxAgeMs, maxBytes, maxMessages } = this.#limits;
    if (this.#closed || this.#running !== null || (maxAgeMs === 0 && maxBytes === 0 && maxMessages === 0)) return;
    this.#running = this.#run()
      .catch(this.#onError)
      .finally(() => {
        this.#running = null;
      });
  };

  async #run(): Promise<void> {
    while (!this.#closed && (await this.#step()) > 0);
  }

  /** Removing is the same whoever does it: two processes that remove the same message disturb nobody. */
  async #step(): Promise<number> {
    const { messages } = this.#store;
    const head = readHead(this.#store);
    const first = firstSequence(this.#store, head.next);
    if (!readRecord(this.#store, first, this.#view)) return 0;
    const bytesFirst = this.#view.bytesBefore;
    // Every limit is monotone in the sequence, so the first message to keep is found by halving.
    let end = first;
    let high = Math.min(head.next, first + STEP_MESSAGES_MAX);
    while (end < high) {
      const middle = end + Math.floor((high - end) / 2);
      if (!readRecord(this.#store, middle, this.#view)) return 0; // another process removes too
      const inStep = middle === first || this.#view.bytesBefore - bytesFirst < STEP_BYTES_MAX;
      if (inStep && this.#isBeyond(head.next - middle, head.bytes - this.#view.bytesBefore)) end = middle + 1;
      else high = middle;
    }
    if (end === first) return 0;
    const bytesEnd = end < head.next && readRecord(this.#store, end, this.#view) ? this.#view.bytesBefore : head.bytes;
    const removal = messages.batch(() => {
      for (let sequence = first; sequence < end; sequence++) void messages.remove(sequence);
    });
    await committed(removal);
    this.removedMessages += end - first;
    this.removedBytes += bytesEnd - bytesFirst;
    return end - first;
  }

  /** Of the message in `#view`, given how many messages and bytes there are from it on. */
  #isBeyond(messages: number, bytes: number): boolean {
    const { maxAgeMs, maxBytes, maxMessages } = this.#limits;
    if (maxMessages > 0 && messages > maxMessages) return true;
    if (maxBytes > 0 && bytes > maxBytes) return true;
    return maxAgeMs > 0 && this.#view.timeMs < Date.now() - maxAgeMs;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#running;
  }
}
