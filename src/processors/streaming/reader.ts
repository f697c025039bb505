/**
 * Reads one channel. Acks are ours to give (pitfall 3), a session that is lost is replaced and the read goes on where it was, and a message
 * that comes again while it is still in hand is not handed over twice.
 */
import { MillraceError } from '../../api/errors.ts';
import type { BrokerReader, ConsumeRequest, MessageReceiver } from '../broker.ts';
import { ReceivedMessage } from './inbound-message.ts';
import { StanLink } from './link.ts';
import type { StanLinkRequest } from './link.ts';
import type { StanSession } from './session.ts';
import { within } from './session.ts';
import type { StanMessage, StanSubscription } from './stan-library.ts';
import { faultText } from './stan-library.ts';
import type { Position } from './subscribe.ts';
import { isBeforeStart, subscriptionOf } from './subscribe.ts';

const FLUSH_MS_MAX = 5_000;
const CLOSE_MS_MAX = 3_000;
const RETRY_MS = 500;

interface Handle {
  readonly sequence: number;
  /** The newest copy: an ack goes out on the subscription that it came by. */
  message: StanMessage;
  session: StanSession;
  settled: boolean;
}

export interface ReaderRequest {
  readonly link: Omit<StanLinkRequest, 'listener'>;
  readonly request: ConsumeRequest;
  readonly receiver: MessageReceiver;
  readonly warn: (message: string) => void;
}

export class StanReader implements BrokerReader {
  readonly #request: ConsumeRequest;
  readonly #receiver: MessageReceiver;
  readonly #link: StanLink;
  readonly #message = new ReceivedMessage();
  /** Handed over and not settled, by sequence; the server keeps it below `maxInFlight`. */
  readonly #inHand = new Map<number, Handle>();
  /** Settled when their session was gone (pitfall 4: such an ack is dropped without a word): acked when they come again. */
  readonly #owed = new Set<number>();
  readonly #position: Position = { lastSequence: 0, openedAtMs: performance.now() };
  #subscription: StanSubscription | null = null;
  #closed = false;
  #closing: (() => void) | null = null;

  constructor({ link, request, receiver, warn }: ReaderRequest) {
    this.#request = request;
    this.#receiver = receiver;
    const listener = {
      up: (session: StanSession) => void this.#resume(session),
      down: () => (this.#subscription = null),
      closed: (reason: MillraceError) => this.#fail(reason),
      forbidden: warn,
      warning: () => undefined, // Said once, by the publishing session.
    };
    this.#link = new StanLink({ ...link, listener });
  }

  async open(): Promise<void> {
    const session = await this.#link.open();
    try {
      await this.#subscribe(session);
    } catch (error) {
      await this.#link.close();
      throw error;
    }
  }

  onClose(callback: () => void): void {
    this.#closing = callback;
  }

  ack(handle: unknown): void {
    const given = handle as Handle;
    if (given.settled) return;
    given.settled = true;
    this.#inHand.delete(given.sequence);
    if (given.session.live && !this.#closed) given.message.ack();
    else if (this.#comesAgain) this.#owed.add(given.sequence);
  }

  /** Not in the protocol: left alone, it comes again after the ack wait. */
  nak(handle: unknown): void {
    const given = handle as Handle;
    given.settled = true;
    this.#inHand.delete(given.sequence);
  }

  /** Not in the protocol either: an ack is the only way to never see it again. */
  term(handle: unknown): void {
    this.ack(handle);
  }

  working(): void {}

  /** The server stops by itself when `maxInFlight` messages are not acked: there is nothing to tell it, and that much may still come. */
  pause(): void {}
  resume(): void {}

  async flush(): Promise<void> {
    await this.#link.session?.flush(FLUSH_MS_MAX);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#closed = true;
    const subscription = this.#subscription;
    const keeps = this.#request.durable !== '';
    if (subscription !== null && this.#link.session?.live === true) {
      await within(CLOSE_MS_MAX, (resolve) => {
        const done = (): void => resolve(true);
        subscription.on('closed', done).on('unsubscribed', done).on('error', done).on('timeout', done);
        // `unsubscribe` would delete the durable with its position.
        if (keeps) subscription.close();
        else subscription.unsubscribe();
      });
    }
    await this.#link.close();
    this.#closing?.();
  }

  /** After a new session: does the server hand over again what was not acked? */
  get #comesAgain(): boolean {
    return this.#request.durable !== '' || this.#request.queue !== '';
  }

  async #resume(session: StanSession): Promise<void> {
    try {
      await this.#subscribe(session);
    } catch (error) {
      if (this.#closed || !session.live) return; // Lost again: the next session does it.
      if (error instanceof MillraceError && !error.retryable) return this.#fail(error);
      // For one, the server still holds the subscription of the lost session.
      setTimeout(() => session.fail(faultText(error)), RETRY_MS);
    }
  }

  async #subscribe(session: StanSession): Promise<void> {
    const { filter, queue } = this.#request;
    const options = subscriptionOf(session.client, this.#request, this.#position);
    const subscription = queue === '' ? session.client.subscribe(filter, options) : session.client.subscribe(filter, queue, options);
    subscription.on('message', (message) => this.#received(message, session));
    const fault = await new Promise<string | null>((resolve) => {
      subscription.on('ready', () => resolve(null));
      // Stays on for good: an error event nobody listens to would be thrown.
      subscription.on('error', (said) => resolve(faultText(said)));
      subscription.on('timeout', (said) => resolve(faultText(said)));
      session.client.on('close', () => resolve('the session ended'));
    });
    if (fault !== null) throw subscribeError(fault, filter);
    this.#subscription = subscription;
  }

  #received(message: StanMessage, session: StanSession): void {
    if (this.#closed) return;
    const sequence = message.getSequence();
    if (this.#owed.delete(sequence)) return message.ack();
    const known = this.#inHand.get(sequence);
    if (known !== undefined) {
      known.message = message;
      known.session = session;
      return;
    }
    const handle: Handle = { sequence, message, session, settled: false };
    this.#position.lastSequence = Math.max(this.#position.lastSequence, sequence);
    this.#message.take(message, handle);
    if (isBeforeStart(this.#request, this.#message.timeMs)) return message.ack();
    this.#inHand.set(sequence, handle);
    this.#receiver.message(this.#message);
    this.#message.drop();
    if (this.#request.noAck) this.ack(handle);
  }

  #fail(reason: MillraceError): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#link.close();
    this.#closing?.();
    this.#receiver.ended(reason);
  }
}

function subscribeError(said: string, channel: string): MillraceError {
  const duplicate = /duplicate durable/i.test(said);
  const passing = duplicate || /timeout|session ended|unknown client|invalid subscription request/i.test(said);
  const hint = duplicate ? '; to share a durable, give it a queue' : '';
  return new MillraceError('MILLRACE_BROKER', `cannot subscribe to ${channel}: ${said}${hint}`, {
    retryable: passing,
    context: { processor: 'streaming', subject: channel },
  });
}
