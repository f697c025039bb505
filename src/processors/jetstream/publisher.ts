/**
 * Publishes and matches acks: one inbox per connection, the slot's number in the reply subject, no promise and no timer per message.
 * Each message it takes gets exactly one outcome, and its bytes are not read after that.
 */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { boundedFlush } from '../../connections/bounded-flush.ts';
import type { Frame } from '../../connections/frame.ts';
import { putDecimal } from '../../connections/decimal.ts';
import type { RawMessage } from '../../connections/raw-message.ts';
import { tapMessages } from '../../connections/message-tap.ts';
import { rawOf } from '../../connections/raw-message.ts';
import { createInbox } from '../../connections/nats-library.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { NatsPool } from '../../connections/nats-pool.ts';
import type { OutboundMessage, PublishListener } from '../broker.ts';
import { CreditWindow } from '../credit-window.ts';
import { withExpectedSequence } from './expected-sequence.ts';
import { PendingTable } from './pending-table.ts';
import type { PubAck } from './pub-ack.ts';
import { parseAnswer, readPubAck } from './pub-ack.ts';
import { readStatus } from './pull-status.ts';
import { idOf } from './reply-id.ts';
import * as errors from './publish-errors.ts';
import { fitsLine, SUBJECT_BYTES_MAX } from './subject-bytes.ts';

type Settings = Pick<ResolvedOptions, 'stream' | 'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs' | 'inboxPrefix'>;

/** One ack in this many is timed: enough for the window, and cheap. */
const SAMPLE_EVERY = 16;
const SWEEP_MS_MIN = 20;
const SWEEP_MS_MAX = 500;
const ID_DIGITS_MAX = 16;
/** A socket that takes nothing for so many publish timeouts is dead. */
const STUCK_TIMEOUTS = 2;

type MutableFrame = { -readonly [Member in keyof Frame]: Frame[Member] };
const NONE: Uint8Array = new Uint8Array(0);

/** A reply subject under construction: the prefix stays, the id changes. */
type Inbox = { readonly bytes: Uint8Array; readonly prefixBytes: number; readonly listen: () => void };

export class Publisher {
  readonly #pool: NatsPool;
  readonly #settings: Settings;
  readonly #listener: PublishListener;
  readonly #pending: PendingTable;
  readonly #window: CreditWindow;
  readonly #inboxes: Inbox[] = [];
  readonly #forbidden = new Set<string>();
  readonly #ack: PubAck = { sequence: 0, duplicate: false };
  readonly #frame: MutableFrame = { subject: '', reply: NONE, replyBytes: 0, memory: NONE, start: 0, payloadStart: 0, end: 0, lead: 0 };
  #answers = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(pool: NatsPool, settings: Settings, listener: PublishListener) {
    this.#pool = pool;
    this.#settings = settings;
    this.#listener = listener;
    this.#pending = new PendingTable(settings.maxInFlightMessages);
    this.#window = new CreditWindow(
      {
        messagesMax: this.#pending.capacity,
        bytesMax: settings.maxInFlightBytes,
        latencyMsMax: settings.publishTimeoutMs / 4,
      },
      () => listener.writable(),
    );
  }

  /** Subscribes to the acks; the round trip proves that no ack can come before the subscription. */
  async open(): Promise<void> {
    for (const { slot, connection } of this.#pool.links) {
      const prefix = Buffer.from(`${createInbox(this.#settings.inboxPrefix)}.`);
      const bytes = new Uint8Array(prefix.length + ID_DIGITS_MAX);
      bytes.set(prefix);
      const answered = (answer: RawMessage): void => this.#answered(slot, answer);
      const subject = `${prefix.toString()}*`;
      const subscription = connection.subscribe(subject, { callback: (_error, message) => answered(rawOf(message)) });
      this.#inboxes.push({ bytes, prefixBytes: prefix.length, listen: () => void tapMessages(connection, subscription, answered) });
      this.#inboxes[slot]!.listen();
      if (!(await boundedFlush(connection))) throw new MillraceError('MILLRACE_CONNECT', 'the connection was lost while it was opened');
    }
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Would it be sent, and not refused here? */
  admits(subject: string, bytes: number): boolean {
    return bytes <= this.#pool.payloadBytesMax && fitsLine(subject) && (this.#forbidden.size === 0 || !this.#forbidden.has(subject));
  }

  /** Hot path. */
  tryPublish(given: OutboundMessage, token: number): boolean {
    const message = (given.expectedSequence ?? -1) >= 0 ? withExpectedSequence(given) : given;
    const { subject, start, end } = message;
    const link = this.#pool.linkFor(subject);
    const bytes = end - start;
    if (!link.up) return this.#window.starve();
    if (bytes > link.payloadBytesMax || !fitsLine(subject) || (this.#forbidden.size > 0 && this.#forbidden.has(subject))) {
      return this.#refuse(message, link, token);
    }
    if (!this.#window.tryTake(bytes)) return this.#window.starve();
    const slot = this.#pending.claim(link.slot, token, bytes, subject);
    const frame = this.#frame;
    const inbox = this.#inboxes[link.slot]!;
    frame.subject = subject;
    frame.reply = inbox.bytes;
    frame.replyBytes = putDecimal(inbox.bytes, inbox.prefixBytes, this.#pending.idOf(slot));
    frame.memory = message.memory;
    frame.start = start;
    frame.payloadStart = message.payloadStart;
    frame.end = end;
    frame.lead = message.lead ?? 0;
    this.#write(link, subject, slot);
    this.#sweeper ??= setInterval(
      () => this.#sweep(),
      Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, this.#settings.publishTimeoutMs / 10)),
    );
    return true;
  }

  /** The link's socket is dead: what it carried is in doubt, oldest first. */
  down(link: NatsLink): void {
    this.#unknown(this.#pending.onLink(link.slot), errors.disconnectError);
  }

  up(): void {
    for (const inbox of this.#inboxes) inbox.listen(); // The client reads a new connection by a new parser.
    this.#forbidden.clear();
    this.#window.wakeNow();
  }

  /** The client fails only the first of a subject; the broker has refused them all. */
  forbid(link: NatsLink, subject: string): void {
    this.#forbidden.add(subject);
    const slots = this.#pending.onLink(link.slot, (slot) => this.#pending.subject(slot) === subject);
    const tokens = slots.map((slot) => this.#take(slot));
    for (const token of tokens) this.#listener.failed(token, errors.forbiddenError(this.#place(subject)));
    this.#window.wake();
  }

  /** The links are closed, so `down` has settled everything. */
  close(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #write(link: NatsLink, subject: string, slot: number): void {
    const { writer, connection } = link;
    const frame = this.#frame;
    if (writer !== null) {
      const flush = writer.flushNumber;
      writer.write(frame);
      this.#pending.sent(slot, performance.now(), flush);
      return;
    }
    // The client keeps references for as long as it likes: it gets copies.
    const copy = Uint8Array.from(frame.memory.subarray(frame.start, frame.end));
    const headerBytes = frame.payloadStart - frame.start;
    const reply = Buffer.from(frame.reply.subarray(0, frame.replyBytes)).toString();
    const headers = headerBytes === 0 ? {} : { headers: { encode: () => copy.subarray(0, headerBytes) } as never };
    connection.publish(subject, copy.subarray(headerBytes), { reply, ...headers });
    this.#pending.sent(slot, performance.now(), 0);
  }

  /** Takes the token and refuses it after the call, so that no outcome comes from inside `tryPublish`. */
  #refuse({ subject, start, end }: OutboundMessage, link: NatsLink, token: number): boolean {
    const place = this.#place(subject);
    const bytes = end - start;
    let error: MillraceError;
    if (this.#forbidden.has(subject)) error = errors.forbiddenError(place);
    else if (bytes > link.payloadBytesMax) error = errors.tooLargeError(place, bytes, link.payloadBytesMax);
    else error = errors.subjectTooLongError(place, SUBJECT_BYTES_MAX);
    queueMicrotask(() => this.#listener.failed(token, error));
    return true;
  }

  /** Hot path: an answer on a link's inbox. */
  #answered(link: number, answer: RawMessage): void {
    const slot = this.#pending.slotOf(idOf(answer, this.#inboxes[link]!.prefixBytes), link);
    if (slot < 0) return; // Too late: its outcome was reported.
    if (!readPubAck(answer.bytes, answer.payloadStart, answer.end, this.#ack)) return this.#answeredOtherwise(slot, answer);
    if (++this.#answers % SAMPLE_EVERY === 0) this.#window.acked(performance.now() - this.#pending.sentAtMs(slot));
    const { sequence, duplicate } = this.#ack;
    this.#listener.acked(this.#take(slot), sequence, duplicate);
    this.#window.wake();
  }

  #answeredOtherwise(slot: number, raw: RawMessage): void {
    const place = this.#place(this.#pending.subject(slot));
    const token = this.#take(slot);
    const { code: status, said } = readStatus(raw);
    const bare = status > 0 && raw.payloadStart === raw.end;
    const answer = bare ? { status, code: 0, description: said } : parseAnswer(raw.bytes.subarray(raw.payloadStart, raw.end));
    if (answer === null) this.#listener.unknown(token, errors.unreadableError(place));
    else if ('sequence' in answer) this.#listener.acked(token, answer.sequence, answer.duplicate);
    else {
      const refusal = errors.refusalOf(answer.status, answer.code);
      if (refusal.slowDown) this.#window.congested();
      this.#listener[refusal.outcome](token, errors.refusalError(refusal, answer, place));
    }
    this.#window.wake();
  }

  /** Frees the slot and its credit; gives the token. */
  #take(slot: number): number {
    this.#window.give(this.#pending.bytes(slot));
    const token = this.#pending.token(slot);
    this.#pending.release(slot);
    return token;
  }

  #sweep(): void {
    if (this.#pending.size === 0) return this.close();
    const nowMs = performance.now();
    const timeoutMs = this.#settings.publishTimeoutMs;
    for (const link of this.#pool.links) {
      const { writer } = link;
      // Bytes may still be in the socket's queue: only a dead socket makes them free, and `down` reports them.
      if (writer !== null && writer.waiting && nowMs - writer.progressAtMs > timeoutMs * STUCK_TIMEOUTS) link.cut();
      const flushDone = writer?.doneNumber ?? Number.MAX_SAFE_INTEGER;
      const slots = this.#pending.expired(link.slot, { deadlineMs: nowMs - timeoutMs, nowMs, flushDone });
      this.#unknown(slots, (place) => errors.timeoutError(place, timeoutMs));
    }
    this.#window.wake();
  }

  #unknown(slots: readonly number[], errorOf: (place: errors.Place) => MillraceError): void {
    // All are released before the first is reported: a listener may publish at once.
    const ended = slots.map((slot) => ({ subject: this.#pending.subject(slot), token: this.#take(slot) }));
    for (const { subject, token } of ended) this.#listener.unknown(token, errorOf(this.#place(subject)));
  }

  #place(subject: string): errors.Place {
    return { subject, stream: this.#settings.stream };
  }
}
