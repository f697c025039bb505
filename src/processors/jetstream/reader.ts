/**
 * Pulls from a consumer: never more than asked for, without gaps over reconnects and restarts of the broker, and it says so when the
 * read cannot go on.
 */
import { MillraceError, wrapError } from '../../api/errors.ts';
import { boundedFlush } from '../../connections/bounded-flush.ts';
import type { RawMessage } from '../../connections/raw-message.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { BrokerReader, ConsumeRequest, MessageReceiver } from '../broker.ts';
import { AckSender } from './ack-sender.ts';
import type { ConsumerPlace } from './consumer-setup.ts';
import { findConsumer, makeConsumer, openConsumer, streamGone } from './consumer-setup.ts';
import { PullRequests } from './pull-requests.ts';
import type { AckHandle } from './pulled-message.ts';
import { PulledMessage, replyOf } from './pulled-message.ts';
import { manager } from './stream-setup.ts';

export interface ReaderRequest {
  readonly link: NatsLink;
  readonly stream: string;
  readonly request: ConsumeRequest;
  readonly receiver: MessageReceiver;
  readonly inboxPrefix: string;
}

const NANOS = 1_000_000;
const RECOVER_MS = 200;

const ACK = Buffer.from('+ACK');
const WORKING = Buffer.from('+WPI');

export async function openReader(options: ReaderRequest): Promise<JetStreamReader> {
  let place: ConsumerPlace;
  try {
    place = await openConsumer(options.link.connection, options.stream, options.request);
  } catch (error) {
    throw wrapError('MILLRACE_BROKER', error, { retryable: true, context: { stream: options.stream, subject: options.request.filter } });
  }
  return new JetStreamReader(options, place);
}

export class JetStreamReader implements BrokerReader {
  readonly #options: ReaderRequest;
  readonly #acks: AckSender;
  readonly #message = new PulledMessage();
  readonly #pulls: PullRequests;
  #place: ConsumerPlace;
  /** Sequences handed over and not yet settled: a message that comes again after its ack wait still takes one place. */
  readonly #unsettled = new Set<number>();
  #lastSequence: number;
  #lastConsumerSequence = 0;
  #paused = false;
  #recovering = false;
  #closed = false;
  #closing: (() => void) | null = null;

  constructor(options: ReaderRequest, place: ConsumerPlace) {
    this.#options = options;
    this.#place = place;
    this.#lastSequence = place.deliveredSequence;
    this.#acks = new AckSender(options.link, { confirm: options.request.confirmAcks });
    const { link, stream, inboxPrefix, request } = options;
    this.#pulls = new PullRequests({
      link,
      stream,
      inboxPrefix,
      maxInFlight: request.maxInFlight,
      room: () =>
        this.#paused || this.#closed || this.#recovering ? 0 : request.maxInFlight - this.#unsettled.size - (this.#message.open ? 1 : 0),
      received: (message) => this.#received(message),
      lost: () => void this.#recover(),
    });
    if (link.up) this.#pulls.listen(place.name);
  }

  onClose(callback: () => void): void {
    this.#closing = callback;
  }

  ack(handle: unknown): void {
    this.#settle(handle, ACK, true);
  }

  nak(handle: unknown, delayMs: number): void {
    this.#settle(handle, Buffer.from(delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * NANOS)}}` : '-NAK'), false);
  }

  term(handle: unknown, reason: string): void {
    this.#settle(handle, Buffer.from(reason === '' ? '+TERM' : `+TERM ${reason.replace(/[\r\n]+/g, ' ')}`), true);
  }

  working(handle: unknown): void {
    const ack = handle as AckHandle;
    if (ack.settled || this.#options.request.noAck) return;
    const raw = this.#message.rawOf(ack);
    this.#acks.sendNow(raw === null ? ack.reply : replyOf(raw), WORKING);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pulls.pull();
  }

  flush(): Promise<void> {
    return this.#acks.flush();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#stop();
    const { link, stream } = this.#options;
    if (link.up) {
      await this.#acks.flush().catch(() => undefined);
      if (!this.#place.shared) await this.#forget(stream);
      await boundedFlush(link.connection);
    }
    this.#acks.close();
  }

  /** The connection is back, to the same server or another: what was asked for before is forgotten there. */
  up(link: NatsLink): void {
    if (this.#closed || link !== this.#options.link) return;
    this.#acks.up();
    void this.#recover();
  }

  down(link: NatsLink): void {
    if (link === this.#options.link) this.#pulls.down();
  }

  /** The read ends by itself. */
  fail(error: MillraceError): void {
    if (this.#closed) return;
    this.#stop();
    this.#acks.close();
    this.#options.receiver.ended(error);
  }

  #stop(): void {
    this.#closed = true;
    this.#pulls.stop();
    this.#closing?.();
  }

  async #forget(stream: string): Promise<void> {
    const jsm = await manager(this.#options.link.connection);
    await jsm.consumers.delete(stream, this.#place.name).catch(() => undefined); // It forgets itself when inactive.
  }

  #settle(handle: unknown, body: Uint8Array, repeatable: boolean): void {
    const ack = handle as AckHandle;
    if (ack.settled) return;
    ack.settled = true;
    if (this.#options.request.noAck) return;
    if (this.#unsettled.size > 0) this.#unsettled.delete(ack.sequence);
    const raw = this.#message.rawOf(ack);
    if (raw === null) {
      this.#acks.send(ack.reply, body, repeatable);
      this.#pulls.pull();
    } else if (!repeatable || !this.#acks.trySendFrom(raw.bytes, raw.replyStart, raw.replyEnd, body))
      this.#acks.send(replyOf(raw), body, repeatable);
  }

  #received(message: RawMessage): void {
    if (this.#closed) return;
    const { noAck } = this.#options.request;
    const replayed = noAck && !this.#place.shared;
    // What comes from the consumer being replaced will come again from the new one.
    if (replayed && this.#recovering) return;
    this.#message.take(message);
    if (noAck) this.#message.handle.settled = true;
    if (replayed && !this.#inSequence()) {
      this.#message.drop();
      return void this.#recover(true);
    }
    this.#lastSequence = Math.max(this.#lastSequence, this.#message.sequence);
    this.#options.receiver.message(this.#message);
    // What was settled within the call never counts.
    if (!noAck && !this.#message.handle.settled) this.#unsettled.add(this.#message.sequence);
    this.#message.drop();
    this.#pulls.pull();
  }

  /** Without acks nothing comes again: a hole in the consumer's count means the read must be set up again behind the last message. */
  #inSequence(): boolean {
    return this.#message.consumerSequence === ++this.#lastConsumerSequence;
  }

  /** Makes sure that the consumer is there, and pulls again. Tries until it works, the connection is lost, or it cannot ever work. */
  async #recover(afresh = false): Promise<void> {
    if (this.#recovering) return;
    this.#recovering = true;
    try {
      while (!this.#closed && this.#options.link.up && !(await this.#revive(afresh))) {
        await new Promise((resolve) => setTimeout(resolve, RECOVER_MS));
      }
    } finally {
      this.#recovering = false;
    }
    if (this.#closed || !this.#options.link.up) return;
    this.#lastConsumerSequence = 0;
    this.#pulls.listen(this.#place.name);
  }

  async #revive(afresh: boolean): Promise<boolean> {
    const { link, stream, request } = this.#options;
    try {
      const jsm = await manager(link.connection);
      const keep = this.#place.shared || !(afresh || request.noAck);
      const info = await findConsumer(jsm, stream, this.#place.name);
      if (info !== null && keep) return true;
      if (this.#place.shared) throw new MillraceError('MILLRACE_BROKER', `the durable ${this.#place.name} of stream ${stream} was deleted`);
      if (info !== null) await jsm.consumers.delete(stream, this.#place.name);
      this.#place = await makeConsumer(jsm, stream, request, { kind: 'sequence', sequence: this.#lastSequence + 1 });
    } catch (error) {
      if (!(error instanceof MillraceError) || error.retryable) return false;
      this.fail(error.code === 'MILLRACE_STREAM_MISSING' ? streamGone(stream) : error);
    }
    return true;
  }
}
