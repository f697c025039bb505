/** The delivery that a handler gets: the first of ack, nak and term counts, later ones are ignored. */
import type { InboundEvent } from './inbound-message.ts';
import type { Delivery, Headers } from '../api/event.ts';
import { MillraceError } from '../api/errors.ts';

export interface DeliveryActions {
  ack(event: InboundEvent): void;
  nak(event: InboundEvent, delayMs: number | undefined, cause: unknown): void;
  term(event: InboundEvent, reason: string): void;
  working(event: InboundEvent): void;
}

export class EventDelivery implements Delivery {
  readonly #event: InboundEvent;
  readonly #actions: DeliveryActions;
  #settled = false;

  constructor(event: InboundEvent, actions: DeliveryActions) {
    this.#event = event;
    this.#actions = actions;
  }

  get event(): unknown {
    return this.#event.event;
  }

  get subject(): string {
    return this.#event.message.subject;
  }

  get id(): string | null {
    return this.#event.id;
  }

  get sequence(): number {
    return this.#event.message.sequence;
  }

  get index(): number {
    return this.#event.index;
  }

  get isLastOfMessage(): boolean {
    return this.#event.index === this.#event.message.events - 1;
  }

  get time(): Date {
    return new Date(this.#event.message.timeMs);
  }

  get headers(): Headers {
    return this.#event.headers;
  }

  get redeliveries(): number {
    return this.#event.message.redeliveries + this.#event.attempts;
  }

  ack(): void {
    if (this.#take()) this.#actions.ack(this.#event);
  }

  nak(delayMs?: number): void {
    if (this.#take()) this.#actions.nak(this.#event, delayMs, new MillraceError('MILLRACE_TRANSFORM', 'the handler asked for it again (nak)'));
  }

  term(reason = ''): void {
    if (this.#take()) this.#actions.term(this.#event, reason);
  }

  working(): void {
    if (!this.#settled) this.#actions.working(this.#event);
  }

  /** The handler threw. */
  fail(cause: unknown): void {
    if (this.#take()) this.#actions.nak(this.#event, undefined, cause);
  }

  #take(): boolean {
    const first = !this.#settled;
    this.#settled = true;
    return first;
  }
}

export function deliveryOf(event: InboundEvent, actions: DeliveryActions): EventDelivery {
  return new EventDelivery(event, actions);
}
