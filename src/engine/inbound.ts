/**
 * The way of an event in, on the main thread. At most `maxInFlight` events are in hand: a slow handler stops the pulling, never fills memory.
 *
 *   message ─► take apart ─► queue ─► handler ─► ack | nak | term ─► settle; the message is acked when all of its events are
 */
import { DeadLetterDesk } from './dead-letter-desk.ts';
import { deliveryOf } from './delivery.ts';
import type { DeliveryActions } from './delivery.ts';
import { eventsOf, MessageInHand } from './inbound-message.ts';
import type { InboundEvent } from './inbound-message.ts';
import { MessageKeeper } from './message-keeper.ts';
import { decodePayload } from '../codec/decode.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';
import type { BrokerReader, InboundMessage, MessageReceiver } from '../processors/broker.ts';
import { nextDelayMs } from '../resilience/retry.ts';

export interface InboundOptions {
  readonly maxInFlight: number;
  readonly ackWaitMs: number;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly concurrency: number;
  readonly noAck: boolean;
}

/** Takes a delivery to its end; throwing naks it. With `auto` an event that was not settled by then is acked. */
export interface Consumer {
  readonly auto: boolean;
  take(delivery: Delivery): Promise<void> | void;
}

export class Inbound implements MessageReceiver, DeliveryActions {
  received = 0;
  readonly #options: InboundOptions;
  readonly #consumer: Consumer;
  readonly #desk: DeadLetterDesk;
  readonly #keeper: MessageKeeper;
  readonly #queue: InboundEvent[] = [];
  #head = 0; // Of the queue: shifting a long array is slow.
  #reader: BrokerReader | null = null;
  #active = 0;
  #parked: Set<NodeJS.Timeout> = new Set();
  #paused = false;
  #open = 0; // Events in hand.
  #idle: (() => void)[] = [];
  readonly #onEnd: (error: MillraceError | null) => void;

  constructor(options: InboundOptions, parts: { readonly consumer: Consumer; readonly desk: DeadLetterDesk; readonly onEnd: (error: MillraceError | null) => void }) {
    this.#options = options;
    this.#consumer = parts.consumer;
    this.#desk = parts.desk;
    this.#onEnd = parts.onEnd;
    this.#keeper = new MessageKeeper(options);
  }

  attach(reader: BrokerReader): void {
    this.#reader = reader;
    this.#keeper.attach(reader);
    this.#throttle();
  }

  message(inbound: InboundMessage): void {
    if (this.#keeper.isKnown(inbound)) return;
    const payload = inbound.payload.slice(); // The view ends with this call.
    const message = new MessageInHand(inbound, payload);
    const header = (name: string): string | undefined => inbound.header(name);
    let events: InboundEvent[];
    try {
      events = eventsOf(message, decodePayload(payload, header), header);
    } catch (error) {
      this.#refuseMessage(message, error);
      return;
    }
    message.events = message.open = events.length;
    this.#open += events.length;
    this.#keeper.take(message);
    if (events.length === 0) this.#keeper.done(message);
    for (const event of events) this.#queue.push(event);
    this.#throttle();
    this.#pump();
  }

  ended(error: MillraceError | null): void {
    this.#onEnd(error);
  }

  ack(event: InboundEvent): void {
    this.#settle(event);
  }

  /** Parked here and tried again in this process; the message stays alive meanwhile. Out of budget it is a dead letter. */
  nak(event: InboundEvent, delayMs: number | undefined, cause: unknown): void {
    event.attempts += 1;
    const policy = { maxAttempts: this.#options.maxAttempts, backoffMs: this.#options.backoffMs, backoffMaxMs: 30_000 };
    const next = nextDelayMs(event.attempts, policy, Math.random);
    if (next === null) {
      this.#desk.bury(event, 'handler', cause);
      this.#settle(event);
      return;
    }
    const timer = setTimeout(() => {
      this.#parked.delete(timer);
      this.#queue.splice(this.#head, 0, event);
      this.#pump();
    }, delayMs ?? next);
    this.#parked.add(timer);
  }

  term(event: InboundEvent, reason: string): void {
    this.#desk.bury(event, 'handler', new MillraceError('MILLRACE_TRANSFORM', reason === '' ? 'the handler gave it up' : reason));
    this.#settle(event);
  }

  working(event: InboundEvent): void {
    this.#keeper.working(event.message);
  }

  /** Resolves when nothing is in hand any more. */
  async drained(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Forgets what is in hand: it comes again where the broker redelivers. */
  stop(): void {
    for (const timer of this.#parked) clearTimeout(timer);
    this.#parked.clear();
    this.#queue.length = this.#head = 0;
    this.#keeper.close();
    this.#open = 0;
    this.#wakeIdle();
  }

  #pump(): void {
    while (this.#active < this.#options.concurrency && this.#head < this.#queue.length) {
      const event = this.#queue[this.#head]!;
      this.#head += 1;
      if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) this.#compact();
      this.#active += 1;
      void this.#handle(event);
    }
  }

  #compact(): void {
    this.#queue.splice(0, this.#head);
    this.#head = 0;
  }

  async #handle(event: InboundEvent): Promise<void> {
    this.received += 1;
    const delivery = deliveryOf(event, this);
    try {
      const work = this.#consumer.take(delivery);
      if (work !== undefined) await work;
      if (this.#consumer.auto) delivery.ack();
    } catch (error) {
      delivery.fail(error);
    }
    this.#active -= 1;
    this.#pump();
  }

  #settle(event: InboundEvent): void {
    this.#open -= 1;
    event.message.open -= 1;
    if (event.message.open === 0) this.#keeper.done(event.message);
    this.#throttle();
    if (this.#open === 0) this.#wakeIdle();
  }

  /** Bytes that are not what they claim: one dead letter with all of them, and the message never comes again. */
  #refuseMessage(message: MessageInHand, error: unknown): void {
    this.#desk.buryMessage(message, error instanceof MillraceError ? error : new MillraceError('MILLRACE_DECODE', messageOf(error), { cause: error }));
    this.#keeper.take(message);
    this.#keeper.done(message);
  }

  /** Backpressure: no more is asked for while enough is in hand. */
  #throttle(): void {
    if (this.#reader === null) return;
    if (!this.#paused && this.#open >= this.#options.maxInFlight) {
      this.#paused = true;
      this.#reader.pause();
    } else if (this.#paused && this.#open * 2 <= this.#options.maxInFlight) {
      this.#paused = false;
      this.#reader.resume();
    }
  }

  #wakeIdle(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }
}
