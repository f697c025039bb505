/** Messages in hand: kept alive while a handler is at work, acked once, and known again when the broker hands them over twice. */
import type { MessageInHand } from './inbound-message.ts';
import type { BrokerReader, InboundMessage } from '../processors/broker.ts';

/** Acked messages remembered in each of two generations, for one whose ack was lost and that comes again. */
const REMEMBERED_MAX = 8_192;
/** A handler that is at work longer than this has its message given back. */
const EXTENSION_MS_MAX = 10 * 60_000;

type Key = number | string;

/** A number where it can be: there is one for each message. */
const keyOf = (sequence: number, partition: number): Key => (partition < 0 ? sequence : `${partition}:${sequence}`);

export class MessageKeeper {
  readonly #options: { readonly ackWaitMs: number; readonly noAck: boolean };
  readonly #messages: Map<Key, MessageInHand> = new Map();
  // Two sets, and not one whose oldest goes first: that walks over all it has deleted.
  #done: Set<Key> = new Set();
  #doneBefore: Set<Key> = new Set();
  #reader: BrokerReader | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { readonly ackWaitMs: number; readonly noAck: boolean }) {
    this.#options = options;
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
    if (message.sequence > 0) this.#messages.set(keyOf(message.sequence, message.partition), message);
    this.#timer ??= setInterval(() => this.#extend(), Math.max(100, this.#options.ackWaitMs / 3)).unref();
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
    message.takenMs = performance.now();
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

  /** One timer for all messages: those in hand for a third of the ack wait are extended. */
  #extend(): void {
    const now = performance.now();
    for (const message of this.#messages.values()) {
      const age = now - message.takenMs;
      if (age >= this.#options.ackWaitMs / 3 && age < EXTENSION_MS_MAX) this.#reader?.working(message.handle);
    }
  }
}
