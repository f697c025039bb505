/**
 * The way of an event in. At most `maxInFlight` events are in hand: a slow handler stops the pulling, never fills memory.
 *
 *   message ─► lane ─► open ─► handler ─► acked | failed ─► settle; the message is acked when all of its events are
 *                 (lanes.ts: on this thread · inbound-slabs.ts: through slabs, in workers)
 *
 *   failed ─► parked for its backoff ─► lane again … ─► dead letter
 */
import type { DeadLetterDesk } from './dead-letter-desk.ts';
import type { DeliveryActions, Failure, OpenedMessage } from './delivery.ts';
import { MessageInHand } from './inbound-message.ts';
import type { Retry } from './inbound-message.ts';
import { MessageKeeper } from './message-keeper.ts';
import { Parking } from './inbound-parking.ts';
import { mustSteer } from '../../workers/inbound-steering.ts';
import type { AbsentSteering, Steering } from '../../workers/inbound-steering.ts';
import { elementBytes } from '../../workers/inbound-message.ts';
import type { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';
import type { BrokerReader, InboundMessage, MessageReceiver } from '../processors/broker.ts';
import { nextDelayMs } from '../resilience/retry.ts';

const BACKOFF_MS_MAX = 30_000;

export interface InboundOptions {
  readonly maxInFlight: number;
  readonly ackWaitMs: number;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly noAck: boolean;
}

/** Takes a delivery to its end; throwing naks it. With `auto` an event that was not settled by then is acked. */
export interface Consumer {
  readonly auto: boolean;
  take(delivery: Delivery): Promise<void> | void;
}

/** What hands events to handlers, in order within a lane. */
export interface EventRunner {
  /** It has no room: nothing more should be pulled. */
  readonly full: boolean;
  /** Events handed over that `handedOver` has not told of yet. */
  readonly handing: number;
  /** The payload is valid during the call only. */
  take(message: MessageInHand, payload: Uint8Array): void;
  again(retry: Retry): void;
  /** Nothing is handed over any more. */
  stop(): void;
}

/** What a runner tells. */
export interface RunnerHost {
  handedOver(events: number): void;
  /** A message turned out to hold so many events, each of which will settle. */
  opened(message: MessageInHand, events: number): void;
  /** One part of the message has settled. */
  done(message: MessageInHand): void;
  /** One event of it was not handled. */
  notHandled(retry: Retry, failure: Failure): void;
  /** Its bytes are not what they claim. */
  refused(message: MessageInHand, bytes: Uint8Array, error: unknown): void;
  working(message: MessageInHand): void;
  /** Nothing more can be handled. */
  end(error: MillraceError): void;
  /** `full` has changed. */
  throttle(): void;
}

export interface InboundParts {
  readonly desk: DeadLetterDesk;
  readonly onEnd: (error: MillraceError | null) => void;
  readonly absent: AbsentSteering;
}

export class Inbound implements MessageReceiver, RunnerHost, DeliveryActions {
  readonly #options: InboundOptions;
  readonly #parts: InboundParts;
  readonly #keeper: MessageKeeper;
  readonly #parking: Parking;
  #runner!: EventRunner;
  #reader: BrokerReader | null = null;
  #received = 0;
  #paused = false;
  #draining = false;
  #messages = 0; // In hand.
  #events = 0; // In hand, as far as the messages tell.
  #idle: (() => void)[] = [];
  #stopped = false;

  constructor(options: InboundOptions, parts: InboundParts) {
    this.#options = options;
    this.#parts = parts;
    this.#keeper = new MessageKeeper(options);
    this.#parking = new Parking((retry) => this.#runner.again(retry));
  }

  /** Exact when read, also while workers are at it. */
  get received(): number {
    return this.#received + this.#runner.handing;
  }

  /** Before the first message. */
  use(runner: EventRunner): void {
    this.#runner = runner;
  }

  attach(reader: BrokerReader): void {
    this.#reader = reader;
    this.#keeper.attach(reader);
    this.throttle();
  }

  message(inbound: InboundMessage): void {
    if (this.#stopped || this.#keeper.isKnown(inbound)) return;
    const message = new MessageInHand(inbound);
    this.#messages += 1;
    this.#events += message.weight;
    this.#runner.take(message, inbound.payload);
    if (message.open > 0) this.#keeper.take(message); // Most handlers are through by now: nothing to keep alive.
    this.throttle();
  }

  ended(error: MillraceError | null): void {
    this.#parts.onEnd(error);
  }

  handedOver(events: number): void {
    this.#received += events;
  }

  opened(message: MessageInHand, events: number): void {
    this.#events += events - message.weight;
    message.weight = events;
    message.open += events - 1;
    if (events === 0) this.#messageDone(message);
  }

  done(message: MessageInHand): void {
    if (this.#stopped) return;
    message.open -= 1;
    if (message.open === 0) this.#messageDone(message);
  }

  notHandled(retry: Retry, failure: Failure): void {
    if (this.#stopped) return;
    const { message, attempts } = retry;
    const policy = { maxAttempts: this.#options.maxAttempts, backoffMs: this.#options.backoffMs, backoffMaxMs: BACKOFF_MS_MAX };
    const waitMs = failure.final === undefined ? nextDelayMs(attempts, policy, Math.random) : null;
    if (waitMs === null) {
      // The ack waits for the letter: else a crash between the two would lose the event.
      void this.#parts.desk.bury(retry, failure.final ?? 'handler', failure.cause).then(() => this.done(message));
    } else this.#parking.park(retry, failure.delayMs ?? waitMs);
    this.throttle();
  }

  /** One dead letter with all of the bytes, and the message never comes again. */
  refused(message: MessageInHand, bytes: Uint8Array, error: unknown): void {
    void this.#parts.desk.buryMessage(message, bytes, error).then(() => this.done(message));
  }

  working(at: MessageInHand | OpenedMessage): void {
    this.#keeper.working(at instanceof MessageInHand ? at : at.message);
  }

  end(error: MillraceError): void {
    if (!this.#stopped) this.#parts.onEnd(error);
  }

  mustSteer(name: Steering): void {
    mustSteer(this.#parts.absent, name);
  }

  acked({ message }: OpenedMessage): void {
    this.done(message);
  }

  failed(opened: OpenedMessage, index: number, failure: Failure): void {
    const { message, source, events, attempts } = opened;
    // Out of the bytes, not the object: a handler may have changed it.
    const raw = attempts > 0 ? source.bytes : elementBytes(source.bytes, events.form, index);
    this.notHandled({ message, index, attempts: attempts + 1, form: events.form, raw, alone: false }, failure);
  }

  /** No more is pulled; resolves when nothing is in hand any more. */
  async drained(): Promise<void> {
    this.#draining = true;
    this.throttle();
    if (this.#messages > 0 && !this.#stopped) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Forgets what is in hand: it comes again where the broker redelivers. */
  stop(): void {
    this.#stopped = true;
    this.#parking.close();
    this.#parts.desk.close();
    this.#runner.stop();
    this.#keeper.close();
    this.#wakeIdle();
  }

  /** Backpressure: no more is asked for while enough is in hand. */
  throttle(): void {
    if (this.#reader === null || this.#stopped) return;
    const { maxInFlight } = this.#options;
    const limit = this.#paused ? maxInFlight / 2 : maxInFlight - 1;
    const pause = this.#draining || this.#runner.full || this.#events > limit;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#reader.pause();
    else this.#reader.resume();
  }

  #messageDone(message: MessageInHand): void {
    this.#messages -= 1;
    this.#events -= message.weight;
    this.#keeper.done(message);
    this.throttle();
    if (this.#messages === 0) this.#wakeIdle();
  }

  #wakeIdle(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }
}
