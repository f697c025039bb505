/** The delivery that a handler in a worker gets: the same shape as on the main thread; the first of ack, nak and term counts. */
import type { FrameFacts } from './inbound-frame.ts';
import type { EventsOfMessage } from './inbound-message.ts';
import type { Steering } from './inbound-steering.ts';
import type { Delivery, Headers } from '../src/api/event.ts';

/** A message whose events are being handed over. */
export interface MessageAtWork {
  readonly subject: string;
  readonly facts: FrameFacts;
  readonly events: EventsOfMessage;
}

/** Where outcomes other than done go. */
export interface OutcomeSink {
  /** Throws where the broker cannot do it. */
  mustSteer(name: Steering): void;
  nak(delayMs: number | undefined): void;
  term(reason: string): void;
  threw(cause: unknown): void;
  working(): void;
}

export class WorkerDelivery implements Delivery {
  readonly event: unknown;
  readonly index: number;
  readonly #message: MessageAtWork;
  readonly #sink: OutcomeSink;
  #settled = false;

  constructor(message: MessageAtWork, index: number, sink: OutcomeSink) {
    this.event = message.events.eventAt(index);
    this.index = index;
    this.#message = message;
    this.#sink = sink;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get id(): string | null {
    return this.#message.events.idAt(this.index);
  }

  get sequence(): number {
    return this.#message.facts.sequence;
  }

  get isLastOfMessage(): boolean {
    return this.index === this.#message.facts.count - 1;
  }

  get time(): Date {
    return new Date(this.#message.facts.timeMs);
  }

  get headers(): Headers {
    return this.#message.events.headersAt(this.index);
  }

  get redeliveries(): number {
    return this.#message.facts.redeliveries + this.#message.facts.attempts;
  }

  ack(): void {
    this.#settled = true;
  }

  nak(delayMs?: number): void {
    this.#sink.mustSteer('nak');
    if (this.#take()) this.#sink.nak(delayMs);
  }

  term(reason = ''): void {
    this.#sink.mustSteer('term');
    if (this.#take()) this.#sink.term(reason);
  }

  working(): void {
    this.#sink.mustSteer('working');
    if (!this.#settled) this.#sink.working();
  }

  /** The handler threw. For the run; a handler that throws need not call it. */
  static fail(delivery: WorkerDelivery, cause: unknown): void {
    if (delivery.#take()) delivery.#sink.threw(cause);
  }

  #take(): boolean {
    const first = !this.#settled;
    this.#settled = true;
    return first;
  }
}
