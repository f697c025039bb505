/**
 * Publishes and confirms by round trip: a PONG says that the server has parsed everything written before its PING. One PING at a time
 * per connection, so a busy connection shares it among all that was written since the last.
 */
import type { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { Frame } from '../../connections/frame.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { NatsPool } from '../../connections/nats-pool.ts';
import type { OutboundMessage, PublishListener } from '../broker.ts';
import { CreditWindow } from '../credit-window.ts';
import { fitsLine, SUBJECT_BYTES_MAX } from '../jetstream/subject-bytes.ts';
import { FlightLine } from './flight-line.ts';
import * as errors from './publish-errors.ts';

type Settings = Pick<ResolvedOptions, 'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs'>;
type MutableFrame = { -readonly [Member in keyof Frame]: Frame[Member] };

const NONE: Uint8Array = new Uint8Array(0);
const SWEEP_MS_MIN = 20;
const SWEEP_MS_MAX = 500;
/** A socket that takes nothing for so many publish timeouts is dead. */
const STUCK_TIMEOUTS = 2;
const MESSAGES_MAX = 65_536;

/** One connection and what it carries. */
interface Lane {
  readonly link: NatsLink;
  readonly line: FlightLine;
  /** A PING is on its way, or will be at the end of this turn. */
  pinging: boolean;
  /** Grows at each disconnect: a PONG of an older connection says nothing about this one. */
  epoch: number;
}

export class Publisher {
  readonly #pool: NatsPool;
  readonly #settings: Settings;
  readonly #listener: PublishListener;
  readonly #window: CreditWindow;
  readonly #lanes: readonly Lane[];
  readonly #forbidden = new Set<string>();
  readonly #frame: MutableFrame = { subject: '', reply: NONE, replyBytes: 0, memory: NONE, start: 0, payloadStart: 0, end: 0, lead: 0 };
  #sweeper: NodeJS.Timeout | undefined;

  constructor(pool: NatsPool, settings: Settings, listener: PublishListener) {
    this.#pool = pool;
    this.#settings = settings;
    this.#listener = listener;
    const messagesMax = Math.min(MESSAGES_MAX, settings.maxInFlightMessages);
    const limits = { messagesMax, bytesMax: settings.maxInFlightBytes, latencyMsMax: settings.publishTimeoutMs };
    this.#window = new CreditWindow(limits, () => listener.writable());
    this.#lanes = pool.links.map((link) => ({ link, line: new FlightLine(messagesMax), pinging: false, epoch: 0 }));
  }

  /** Hot path. */
  tryPublish(message: OutboundMessage, token: number): boolean {
    const { subject, start, end } = message;
    const link = this.#pool.linkFor(subject);
    const bytes = end - start;
    if (!link.up) return this.#window.starve();
    if (bytes > link.payloadBytesMax || !fitsLine(subject) || this.#forbidden.has(subject)) {
      return this.#refuse(subject, bytes, token);
    }
    const lane = this.#lanes[link.slot]!;
    // A line may hold entries that are settled before their turn, so it can be full with credit left.
    if (lane.line.full || !this.#window.tryTake(bytes)) return this.#window.starve();
    const frame = this.#frame;
    frame.subject = subject;
    frame.memory = message.memory;
    frame.start = start;
    frame.payloadStart = message.payloadStart;
    frame.end = end;
    frame.lead = message.lead ?? 0;
    this.#write(lane, subject, token);
    if (!lane.pinging) {
      lane.pinging = true;
      queueMicrotask(() => this.#ping(lane));
    }
    this.#sweeper ??= setInterval(
      () => this.#sweep(),
      Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, this.#settings.publishTimeoutMs / 10)),
    );
    return true;
  }

  /** The link's socket is dead: what it carried is in doubt, oldest first. */
  down(link: NatsLink): void {
    const lane = this.#lanes[link.slot];
    if (lane === undefined) return; // The reading connection.
    lane.epoch++;
    lane.pinging = false;
    this.#unknown(lane, lane.line.end, errors.disconnectError);
  }

  up(): void {
    this.#forbidden.clear();
    this.#window.wakeNow();
  }

  /** The server says so before it answers the PING, so nothing forbidden was reported as acked. */
  forbid(link: NatsLink, subject: string): void {
    this.#forbidden.add(subject);
    const { line } = this.#lanes[link.slot]!;
    const tokens: number[] = [];
    for (let position = line.head; position < line.end; position++) {
      if (line.settled(position) || line.subject(position) !== subject) continue;
      tokens.push(line.token(position));
      this.#window.give(line.bytes(position));
      line.settle(position);
    }
    for (const token of tokens) this.#listener.failed(token, errors.forbiddenError(subject));
    this.#window.wake();
  }

  /** The links are closed, so `down` has settled everything. */
  close(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #write({ link, line }: Lane, subject: string, token: number): void {
    const frame = this.#frame;
    const { writer, connection } = link;
    const position = line.push(token, frame.end - frame.start, subject);
    if (writer !== null) {
      const flush = writer.flushNumber;
      writer.write(frame);
      line.sent(position, performance.now(), flush);
      return;
    }
    // The client keeps references for as long as it likes: it gets copies.
    const copy = Uint8Array.from(frame.memory.subarray(frame.start, frame.end));
    const headerBytes = frame.payloadStart - frame.start;
    const options = headerBytes === 0 ? {} : { headers: { encode: () => copy.subarray(0, headerBytes) } as never };
    connection.publish(subject, copy.subarray(headerBytes), options);
    line.sent(position, performance.now(), 0);
  }

  #ping(lane: Lane): void {
    const { link, line, epoch } = lane;
    const end = line.end;
    if (!link.up || line.head === end) {
      lane.pinging = false;
      return;
    }
    lane.pinging = true;
    link.writer?.flush();
    // One promise per PING, not per message. Rejected or never settled at a disconnect: `down` has settled the line then.
    link.connection.flush().then(
      // A permission error that came with the PONG is told in a microtask: it must be heard first.
      () => setImmediate(() => this.#pong(lane, epoch, end)),
      () => undefined,
    );
  }

  #pong(lane: Lane, epoch: number, end: number): void {
    if (lane.epoch !== epoch) return;
    const { line } = lane;
    while (line.head < end) {
      const position = line.head;
      const settled = line.settled(position);
      const token = line.token(position);
      if (!settled) this.#window.give(line.bytes(position));
      line.shift();
      // Last, since the listener may publish at once.
      if (!settled) this.#listener.acked(token, 0, false);
      if (lane.epoch !== epoch) return;
    }
    this.#ping(lane);
    this.#window.wake();
  }

  /** Takes the token and refuses it after the call, so that no outcome comes from inside `tryPublish`. */
  #refuse(subject: string, bytes: number, token: number): boolean {
    const { payloadBytesMax } = this.#pool.linkFor(subject);
    let error: MillraceError;
    if (this.#forbidden.has(subject)) error = errors.forbiddenError(subject);
    else if (bytes > payloadBytesMax) error = errors.tooLargeError(subject, bytes, payloadBytesMax);
    else error = errors.subjectTooLongError(SUBJECT_BYTES_MAX);
    queueMicrotask(() => this.#listener.failed(token, error));
    return true;
  }

  #sweep(): void {
    if (this.#lanes.every(({ line }) => line.head === line.end)) return this.close();
    const nowMs = performance.now();
    const timeoutMs = this.#settings.publishTimeoutMs;
    for (const lane of this.#lanes) {
      const { line, link } = lane;
      const { writer } = link;
      // Bytes may still be in the socket's queue: only a dead socket makes them free, and `down` reports them.
      if (writer !== null && writer.waiting && nowMs - writer.progressAtMs > timeoutMs * STUCK_TIMEOUTS) link.cut();
      const flushDone = writer?.doneNumber ?? Number.MAX_SAFE_INTEGER;
      let end = line.head;
      while (end < line.end && line.sentAtMs(end) < nowMs - timeoutMs && line.flush(end) <= flushDone) end++;
      this.#unknown(lane, end, (subject) => errors.timeoutError(subject, timeoutMs));
    }
    this.#window.wake();
  }

  /** All before `end` are in doubt. All are taken away before the first is reported: a listener may publish at once. */
  #unknown({ line }: Lane, end: number, errorOf: (subject: string) => MillraceError): void {
    const ended: { readonly token: number; readonly subject: string }[] = [];
    while (line.head < end) {
      const position = line.head;
      if (!line.settled(position)) {
        ended.push({ token: line.token(position), subject: line.subject(position) });
        this.#window.give(line.bytes(position));
      }
      line.shift();
    }
    for (const { token, subject } of ended) this.#listener.unknown(token, errorOf(subject));
  }
}
