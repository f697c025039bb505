/** Messages in hand: kept alive while a handler is at work, acked once, and known again when the broker hands them over twice. */
import type { MessageInHand } from './inbound-message.ts';
import type { BrokerReader, InboundMessage } from '../processors/broker.ts';

/** Acked messages remembered in each of two generations, for one whose ack was lost and that comes again. */
const REMEMBERED_MAX = 8_192;
/** A handler that is at work longer than this has its message given back. */
const EXTENSION_MS_MAX = 10 * 60_000;
const ROUND_MS_MIN = 20;

type Key = number | string;

/** A number where it can be: there is one for each message. */
const keyOf = (sequence: number, partition: number): Key => (partition < 0 ? sequence : `${partition}:${sequence}`);

export class MessageKeeper {
  readonly #options: { readonly ackWaitMs: number; readonly noAck: boolean };
  readonly #messages: Map<Key, MessageInHand> = new Map();
  // Two sets, and not one whose oldest goes first: that walks over all it has deleted.
  #done: Set<Key> = new Set();
  #doneBefore: Set<Key> = new Set();
  readonly #roundMs: number;
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

  /** True when the message needs nothing more than its newest handle (it is in hand) or its ack (it is done). */
  isKnown(inbound: InboundMessage): boolean {
    if (inbound.sequence === 0 || inbound.redeliveries === 0) return false;
    const key = keyOf(inbound.sequence, inbound.partition ?? -1);
    const inHand = this.#messages.get(key);
    if (inHand !== undefined) {
      inHand.handle = inbound.handle;
      return true;
    }
    if (!this.#done.has(key) && !this.#doneBefore.has(key)) return false;
    if (!this.#options.noAck) this.#reader?.ack(inbound.handle);
    return true;
  }

  take(message: MessageInHand): void {
    if (this.#options.noAck) return;
    message.round = this.#round;
    if (message.sequence > 0) this.#messages.set(keyOf(message.sequence, message.partition), message);
    this.#timer ??= setInterval(() => this.#extend(), this.#roundMs).unref();
  }

  /** All of its events have settled. */
  done(message: MessageInHand): void {
    if (this.#options.noAck) return;
    if (message.sequence > 0) {
      const key = keyOf(message.sequence, message.partition);
      this.#messages.delete(key);
      if (this.#done.size >= REMEMBERED_MAX) {
        this.#doneBefore = this.#done;
        this.#done = new Set();
      }
      this.#done.add(key);
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
