/** Asks a consumer for messages, never for more than there is room for, and notices when the broker has forgotten that it was asked. */
import type { RawMessage } from '../../connections/raw-message.ts';
import { tapMessages, untapMessages } from '../../connections/message-tap.ts';
import { rawOf } from '../../connections/raw-message.ts';
import type { Subscription } from '../../connections/nats-library.ts';
import { createInbox } from '../../connections/nats-library.ts';
import type { PullStatus } from './pull-status.ts';
import { readStatus } from './pull-status.ts';
import type { NatsLink } from '../../connections/nats-link.ts';

export interface PullOptions {
  readonly link: NatsLink;
  readonly stream: string;
  readonly inboxPrefix: string;
  /** Messages that may be out, and how many more the reader has room for now (0: do not ask). */
  readonly maxInFlight: number;
  readonly room: () => number;
  readonly received: (message: RawMessage) => void;
  /** The consumer may be gone: look at it, then call `listen` again. */
  readonly lost: () => void;
}

const NANOS = 1_000_000;
const EXPIRES_MS = 30_000;
/** One request brings no more bytes: with more queued for one client than it reads, the server takes it for slow and cuts it off. */
const REQUEST_BYTES_MAX = 4 * 1_048_576;
const HEADER_BYTES_MAX = 65_536;
const HEARTBEAT_MS = 2_000;
const HEARTBEATS_MISSED_MAX = 3;
const REFUSED_MS = 200;

export class PullRequests {
  readonly #options: PullOptions;
  readonly #beat: NodeJS.Timeout;
  #subscription: Subscription | null = null;
  #subject = '';
  #inbox = '';
  /** Asked for and not yet arrived. */
  #requested = 0;
  /** Since the last look: a clock read for each message would cost more than what it is for. */
  #heard = true;
  #silentBeats = 0;

  constructor(options: PullOptions) {
    this.#options = options;
    this.#beat = setInterval(() => this.#checkBeat(), HEARTBEAT_MS);
  }

  /** A new inbox each time: what was asked for before finds nobody there, and the broker keeps it. */
  listen(consumer: string): void {
    const { link, stream, inboxPrefix } = this.#options;
    this.#unsubscribe();
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#inbox = createInbox(inboxPrefix);
    const arrived = (message: RawMessage): void => this.#arrived(message);
    this.#subscription = link.connection.subscribe(this.#inbox, {
      callback: (error, message) => (error === null ? arrived(rawOf(message)) : undefined),
    });
    tapMessages(link.connection, this.#subscription, arrived);
    this.#requested = 0;
    this.pull();
  }

  /** Asks again when half of what may be out has come. */
  pull(): void {
    const { link, maxInFlight } = this.#options;
    const room = this.#options.room() - this.#requested;
    if (room < 1 || this.#requested * 2 > maxInFlight || !link.up || this.#inbox === '') return;
    // Never less than one message: it would be refused for ever.
    const bytes = Math.max(REQUEST_BYTES_MAX, link.payloadBytesMax + HEADER_BYTES_MAX);
    const request = `{"batch":${room},"max_bytes":${bytes},"expires":${EXPIRES_MS * NANOS},"idle_heartbeat":${HEARTBEAT_MS * NANOS}}`;
    if (this.#requested === 0) this.#heard = true;
    this.#requested += room;
    link.connection.publish(this.#subject, Buffer.from(request), { reply: this.#inbox });
  }

  /** The connection is away, and with it what was asked for. */
  down(): void {
    this.#requested = 0;
  }

  stop(): void {
    clearInterval(this.#beat);
    if (this.#options.link.up) this.#unsubscribe();
  }

  #unsubscribe(): void {
    if (this.#subscription === null) return;
    untapMessages(this.#options.link.connection, this.#subscription);
    this.#subscription.unsubscribe();
    this.#subscription = null;
  }

  #arrived(message: RawMessage): void {
    this.#heard = true;
    // A message names where its ack goes; what the broker says of a request does not.
    if (message.replyStart === message.replyEnd) return this.#status(readStatus(message));
    if (this.#requested > 0) this.#requested--;
    this.#options.received(message);
  }

  #status({ code, said, left }: PullStatus): void {
    if (code === 100) return; // Idle heartbeat.
    // A request that ended (expired, or out of bytes) names what it still had; any other answer ends all that were made.
    this.#requested = left > 0 ? Math.max(0, this.#requested - left) : 0;
    if (code === 503 || (code === 409 && !/exceed|batch completed/i.test(said))) this.#options.lost();
    else if (code === 409 && left === 0) setTimeout(() => this.pull(), REFUSED_MS);
    else this.pull();
  }

  #checkBeat(): void {
    this.#silentBeats = this.#heard ? 0 : this.#silentBeats + 1;
    this.#heard = false;
    if (this.#requested === 0) return this.pull();
    if (this.#silentBeats >= HEARTBEATS_MISSED_MAX) this.#options.lost();
  }
}
