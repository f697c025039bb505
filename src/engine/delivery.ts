/** The delivery that a handler gets: the first of ack, nak and term counts, later ones are ignored. Light, for there is one per event. */
import type { MessageInHand } from './inbound-message.ts';
import type { Steering } from '../../workers/inbound-steering.ts';
import type { EventsOfMessage } from '../../workers/inbound-message.ts';
import type { Delivery, Headers } from '../api/event.ts';
import { MillraceError } from '../api/errors.ts';
import type { RejectReason } from '../api/reject-reasons.ts';

/** A message (or one event of it that is tried again) whose events are being handed over. */
export interface OpenedMessage {
  readonly message: MessageInHand;
  readonly events: EventsOfMessage;
  /** What `events` was decoded from: a private copy, or the broker's view while that is valid. */
  readonly source: { readonly bytes: Uint8Array };
  /** Events of the whole message. */
  readonly count: number;
  /** Attempts made before this one in this process. */
  readonly attempts: number;
}

/** How an event was not handled. */
export interface Failure {
  readonly cause: unknown;
  /** Never again, with this reason; without one it is tried again within its budget. */
  readonly final?: RejectReason;
  /** Asked for by nak; else the retry policy says. */
  readonly delayMs?: number | undefined;
}

export interface DeliveryActions {
  /** Throws where the broker cannot do it. */
  mustSteer(name: Steering): void;
  acked(opened: OpenedMessage): void;
  failed(opened: OpenedMessage, index: number, failure: Failure): void;
  working(opened: OpenedMessage): void;
}

export class EventDelivery implements Delivery {
  readonly event: unknown;
  readonly index: number;
  readonly #opened: OpenedMessage;
  readonly #actions: DeliveryActions;
  #settled = false;

  constructor(opened: OpenedMessage, index: number, actions: DeliveryActions) {
    this.event = opened.events.eventAt(index);
    this.index = index;
    this.#opened = opened;
    this.#actions = actions;
  }

  get subject(): string {
    return this.#opened.message.subject;
  }

  get id(): string | null {
    return this.#opened.events.idAt(this.index);
  }

  get sequence(): number {
    return this.#opened.message.sequence;
  }

  get isLastOfMessage(): boolean {
    return this.index === this.#opened.count - 1;
  }

  get time(): Date {
    return new Date(this.#opened.message.timeMs);
  }

  get headers(): Headers {
    return this.#opened.events.headersAt(this.index);
  }

  get redeliveries(): number {
    return this.#opened.message.redeliveries + this.#opened.attempts;
  }

  ack(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#actions.acked(this.#opened);
  }

  nak(delayMs?: number): void {
    this.#actions.mustSteer('nak');
    this.#fail({ delayMs, cause: new MillraceError('MILLRACE_TRANSFORM', 'the handler asked for it again (nak)') });
  }

  term(reason = ''): void {
    this.#actions.mustSteer('term');
    this.#fail({ final: 'handler', cause: new MillraceError('MILLRACE_TRANSFORM', reason === '' ? 'the handler gave it up' : reason) });
  }

  working(): void {
    this.#actions.mustSteer('working');
    if (!this.#settled) this.#actions.working(this.#opened);
  }

  /** The handler threw `cause`. For the engine; a handler that throws need not call it. */
  static fail(delivery: EventDelivery, cause: unknown): void {
    delivery.#fail({ cause });
  }

  /** It does not match the schema: no retry can mend it. */
  static refuse(delivery: EventDelivery, cause: MillraceError): void {
    delivery.#fail({ final: 'validation', cause });
  }

  #fail(failure: Failure): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#actions.failed(this.#opened, this.index, failure);
  }
}
