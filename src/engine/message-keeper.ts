/** Messages in hand: kept alive while a handler is at work, acked once, and known again when the broker hands them over twice. */
import type { MessageInHand } from './inbound-message.ts';
import type { BrokerReader, InboundMessage } from '../processors/broker.ts';

/** Places for acked messages, for one whose ack was lost and that comes again; a power of two. The newer takes the place of the older. */
const REMEMBERED_MAX = 16_384;
/** A handler that is at work longer than this has its message given back. */
const EXTENSION_MS_MAX = 10 * 60_000;
const ROUND_MS_MIN = 20;

type Key = number | string;

/** A number where it can be: there is one for each message. */
const keyOf = (sequence: number, partition: number): Key => (partition < 0 ? sequence : `${partition}:${sequence}`);

/** Sequences of one partition follow each other, so they fill all places before one is taken again. */
const placeOf = (sequence: number, partition: number): number => (sequence + Math.imul(partition, 0x9e37_79b1)) & (REMEMBERED_MAX - 1);

export class MessageKeeper {
  readonly #options: { readonly ackWaitMs: number; readonly noAck: boolean };
  readonly #messages: Map<Key, MessageInHand> = new Map();
  // Numbers side by side, for there is one for each message: no set that grows and is walked over. Sequence 0 = none.
  readonly #doneSequences = new Float64Array(REMEMBERED_MAX);
  readonly #donePartitions = new Int32Array(REMEMBERED_MAX);
  readonly #doneTimesMs = new Float64Array(REMEMBERED_MAX);
  readonly #roundMs: number;
  #newest = 0; // Greatest sequence that came, where there are no partitions.
  #round = 0;
  #reader: BrokerReader | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { readonly ackWaitMs: number; readonly noAck: boolean }) {
    this.#options = options;
    this.#roundMs = Math.max(ROUND_MS_MIN, options.ackWaitMs / 3);
  }

  attach(reader: BrokerReader): void {
    this.#reader = reader;
    for (const message of this.#early.splice(0)) this.#ack(message);
  }

  /**
   * True when the message needs nothing more than its newest handle (it is in hand) or its ack (it is done). A broker that was killed may
   * have forgotten that it delivered it, so its count of redeliveries says nothing. A stream made anew counts from 1 again, at other times.
   */
  isKnown(inbound: InboundMessage): boolean {
    const { sequence, timeMs } = inbound;
    const partition = inbound.partition ?? -1;
    // A partition may have been with another reader meanwhile, to whom it was all new: only a redelivery is known.
    if (sequence === 0 || (partition >= 0 && inbound.redeliveries === 0)) return false;
    if (partition < 0 && sequence > this.#newest) {
      this.#newest = sequence;
      return false; // Nearly all: one comparison each.
    }
    const inHand = this.#messages.get(keyOf(sequence, partition));
    if (inHand !== undefined && inHand.timeMs === timeMs) {
      inHand.handle = inbound.handle;
      return true;
    }
    const place = placeOf(sequence, partition);
    if (this.#doneSequences[place] !== sequence || this.#donePartitions[place] !== partition || this.#doneTimesMs[place] !== timeMs)
      return false;
    if (!this.#options.noAck) this.#reader?.ack(inbound.handle);
    return true;
  }

  /** For a message that its handler is not through with by the time it has been handed over. */
  take(message: MessageInHand): void {
    if (this.#options.noAck) return;
    message.round = this.#round;
    if (message.sequence > 0) this.#messages.set(keyOf(message.sequence, message.partition), message);
    this.#timer ??= setInterval(() => this.#extend(), this.#roundMs).unref();
  }

  /** All of its events have settled. */
  done(message: MessageInHand): void {
    if (this.#options.noAck) return;
    const { sequence, partition } = message;
    if (sequence > 0) {
      if (this.#messages.size > 0) this.#forget(message);
      const place = placeOf(sequence, partition);
      this.#doneSequences[place] = sequence;
      this.#donePartitions[place] = partition;
      this.#doneTimesMs[place] = message.timeMs;
    }
    this.#ack(message);
  }

  /** The handler says that it is still busy: the cap on extensions counts anew. */
  working(message: MessageInHand): void {
    message.round = this.#round;
    if (!this.#options.noAck) this.#reader?.working(message.handle);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#messages.clear();
  }

  readonly #early: MessageInHand[] = []; // Done before the reader was attached: `consume` may deliver before it returns.

  #ack(message: MessageInHand): void {
    if (this.#reader === null) this.#early.push(message);
    else this.#reader.ack(message.handle);
  }

  /** Not the one that has taken its sequence, in a stream made anew. */
  #forget(message: MessageInHand): void {
    const key = keyOf(message.sequence, message.partition);
    if (this.#messages.get(key) === message) this.#messages.delete(key);
  }

  /** One timer for all messages, and no clock for each: those that were in hand a whole round ago are extended, up to the cap. */
  #extend(): void {
    this.#round += 1;
    const roundsMax = EXTENSION_MS_MAX / this.#roundMs;
    for (const message of this.#messages.values()) {
      const rounds = this.#round - message.round;
      if (rounds > 1 && rounds < roundsMax) this.#reader?.working(message.handle);
    }
  }
}
