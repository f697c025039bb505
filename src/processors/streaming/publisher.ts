/**
 * Publishes to STAN channels: the server's ack settles a message, and what was in flight when a session ends is unknown. In flight is
 * counted here (pitfalls 1 and 11: the library's own limit does not limit, and each message costs it a timer and an object).
 */
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { OutboundMessage, PublishListener } from '../broker.ts';
import { CreditWindow } from '../credit-window.ts';
import type { StanLink } from './link.ts';
import { channelFault, lostError, refusalOf, tooLargeError } from './publish-errors.ts';
import type { StanSession } from './session.ts';
import type { StanFault } from './stan-library.ts';
import { faultText } from './stan-library.ts';
import { wrap } from './wrapper.ts';

type Settings = Pick<ResolvedOptions, 'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs'>;

/** Client id, connection id, guid, tags and lengths of the protocol's own message, beside the channel's name. */
export const ENVELOPE_BYTES = 256;

interface Flight {
  readonly token: number;
  readonly bytes: number;
  readonly subject: string;
  readonly session: StanSession;
}

export class Publisher {
  readonly #link: StanLink;
  readonly #listener: PublishListener;
  readonly #window: CreditWindow;
  /** In the order they were sent. */
  readonly #flights = new Set<Flight>();

  constructor(link: StanLink, settings: Settings, listener: PublishListener) {
    this.#link = link;
    this.#listener = listener;
    this.#window = new CreditWindow(
      {
        messagesMax: settings.maxInFlightMessages,
        bytesMax: settings.maxInFlightBytes,
        latencyMsMax: settings.publishTimeoutMs,
      },
      () => listener.writable(),
    );
  }

  /** The message is copied before this returns (pitfall 9 makes more copies after that). */
  tryPublish(message: OutboundMessage, token: number): boolean {
    const session = this.#link.session;
    if (session === null || !session.live) return this.#window.starve();
    const { subject, memory, start, payloadStart, end } = message;
    const fault = channelFault(subject);
    if (fault !== null) {
      queueMicrotask(() => this.#listener.failed(token, fault));
      return true;
    }
    const data = wrap(memory, start, payloadStart, end);
    const bytesMax = session.payloadBytesMax - ENVELOPE_BYTES - Buffer.byteLength(subject);
    if (data.length > bytesMax) {
      queueMicrotask(() => this.#listener.failed(token, tooLargeError(subject, data.length, bytesMax)));
      return true;
    }
    if (!this.#window.tryTake(data.length)) return this.#window.starve();
    const flight: Flight = { token, bytes: data.length, subject, session };
    this.#flights.add(flight);
    session.client.publish(subject, data, (fault) => this.#answered(flight, fault));
    return true;
  }

  up(): void {
    this.#window.wakeNow();
  }

  /** Told before the library calls its handlers, which then find their flights settled. */
  down(session: StanSession): void {
    const lost = [...this.#flights].filter((flight) => flight.session === session);
    for (const flight of lost) this.#take(flight);
    for (const { token, subject } of lost) this.#listener.unknown(token, lostError(subject));
  }

  /** The server names the refused subject; the channel is its end. */
  forbidden(text: string): void {
    const named = /Publish to "([^"]+)"/i.exec(text)?.[1];
    if (named === undefined) return;
    const refused = [...this.#flights].filter(({ subject }) => named.endsWith(`.${subject}`));
    for (const flight of refused) this.#take(flight);
    for (const { token, subject } of refused) this.#listener.failed(token, refusalOf(text, subject).error);
    this.#window.wake();
  }

  #answered(flight: Flight, fault: StanFault): void {
    if (!this.#take(flight)) return; // Settled when its session ended.
    const { token, subject, session } = flight;
    if (fault === undefined || fault === '') this.#listener.acked(token, 0, false);
    else {
      const { outcome, error, endsSession } = refusalOf(faultText(fault), subject);
      this.#listener[outcome](token, error);
      if (endsSession) session.fail(error.message);
    }
    this.#window.wake();
  }

  #take(flight: Flight): boolean {
    if (!this.#flights.delete(flight)) return false;
    this.#window.give(flight.bytes);
    return true;
  }
}
