/**
 * Publishes messages without ids by fast ingest: one batch at a time, acks for hundreds at once. Each message it takes gets exactly one outcome.
 * After a lost connection it asks the broker, or reads the stream back, and only what is not stored is reported for another try.
 *
 *   closed ─► opening ─► starting ─► open ─► ending ─► closed
 *                            └──────────┴────────┴─► reading ─► closed
 */
import type { ResolvedOptions } from '../../config/resolved.ts';
import { boundedFlush } from '../../connections/bounded-flush.ts';
import type { Msg } from '../../connections/nats-library.ts';
import { createInbox } from '../../connections/nats-library.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { OutboundMessage, PublishListener } from '../broker.ts';
import { offWarning, reportEnding } from './fast-outcomes.ts';
import type { Refused } from './fast-outcomes.ts';
import { ACKS_OUT, FAST_PENDING_MAX } from './fast-pending.ts';
import type { FastPending } from './fast-pending.ts';
import { findOut } from './fast-reconcile.ts';
import type { Tail, Verdict } from './fast-reconcile.ts';
import { FastSender } from './fast-sender.ts';
import { FastWatch } from './fast-watch.ts';
import { BATCH_DISABLED, batchOf, FLOW_MAX, readFastAnswer } from './fast-wire.ts';
import type { PubRefusal } from './pub-ack.ts';

export interface FastPlace extends Pick<Tail, 'readBack'> {
  readonly link: NatsLink;
  readonly look: () => Promise<{ readonly last: number; readonly batched: boolean }>;
}

type Settings = Pick<ResolvedOptions, 'stream' | 'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs' | 'inboxPrefix'>;
type State = 'closed' | 'opening' | 'starting' | 'open' | 'ending' | 'reading';

/** A batch nobody adds to is ended after one to two of these: its last acks come with its end. */
const TICK_MS = 10;
/** Longer batches make what must be read back after a failure longer where others write too. */
const BATCH_MESSAGES_MAX = 50_000;
/** A last sequence known for so long is asked for again. */
const BASE_MS_MAX = 1_000;
const RETRY_MS = 250;

export class FastIngest {
  /** False: the stream takes no batches after all. */
  on = true;
  readonly #place: FastPlace;
  readonly #settings: Settings;
  readonly #listener: PublishListener;
  readonly #prefix: string;
  readonly #sender: FastSender;
  readonly #pending: FastPending;
  readonly #watch: FastWatch;
  #state: State = 'closed';
  /** The stream's last sequence at some time before the batch began. */
  #base = -1;
  #baseAtMs = 0;
  /** Sent messages beyond the acked ones that the broker allows; acks come after this many. */
  #flow = 1;
  #window = 1;
  #refused: Refused | null = null;
  #starved = false;
  #ticker: NodeJS.Timeout | undefined;
  #sentAtTick = 0;
  #closed = false;

  constructor(place: FastPlace, settings: Settings, listener: PublishListener) {
    this.#place = place;
    this.#settings = settings;
    this.#listener = listener;
    this.#prefix = `${createInbox(settings.inboxPrefix)}.`;
    this.#sender = new FastSender(place.link, this.#prefix);
    this.#pending = this.#sender.pending;
    this.#watch = new FastWatch(place.link, settings.publishTimeoutMs);
  }

  /** True: acks can be heard. */
  async open(): Promise<boolean> {
    const { connection } = this.#place.link;
    connection.subscribe(`${this.#prefix}>`, { callback: (_error, message) => this.#answered(message) });
    return boundedFlush(connection);
  }

  /** Hot path. */
  tryPublish(message: OutboundMessage, token: number): boolean {
    const pending = this.#pending;
    if (this.#state !== 'open') return this.#begin(message, token);
    const room = pending.sent - pending.acked < this.#window && pending.sent < BATCH_MESSAGES_MAX;
    if (!room || (pending.size > 0 && pending.bytes + message.end - message.start > this.#settings.maxInFlightBytes)) return this.#full();
    this.#sender.append(message, token);
    return true;
  }

  /** The socket is dead: nothing is said of what it carried before the broker has been asked. */
  down(): void {
    if (this.#state === 'starting' || this.#state === 'open') this.#state = 'ending';
  }

  /** The end of the batch, sent again, fences it: the broker says how far it got, or that it has forgotten it. */
  up(): void {
    if (this.#state === 'ending') this.#end();
    this.#wake();
  }

  /** Nothing more comes: the broker need not keep the batch until it has been idle for long. */
  finish(): void {
    if (this.#state === 'open' && this.#place.link.up) this.#sender.end();
  }

  /** Nothing can be asked any more: what is not acked is in doubt for good. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#ticker);
    this.#state = 'closed';
    const { stream } = this.#settings;
    reportEnding(this.#listener, { stream, pending: this.#pending, verdict: null, refused: null });
  }

  #begin(message: OutboundMessage, token: number): boolean {
    if (this.#state !== 'closed' || !this.#place.link.up || this.#closed) return this.#starve();
    if (this.#base < 0 || performance.now() - this.#baseAtMs > BASE_MS_MAX) {
      this.#state = 'opening';
      void this.#look();
      return this.#starve();
    }
    const { maxInFlightBytes, maxInFlightMessages } = this.#settings;
    const bytes = Math.max(1, message.end - message.start);
    this.#flow = Math.max(1, Math.min(FLOW_MAX, Math.floor(Math.min(maxInFlightMessages, maxInFlightBytes / bytes) / ACKS_OUT)));
    this.#refused = null;
    this.#state = 'starting';
    this.#watch.heard();
    this.#sender.start(message, token, this.#flow);
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
    return true;
  }

  async #look(): Promise<void> {
    try {
      const { last, batched } = await this.#place.look();
      this.#base = last;
      this.#baseAtMs = performance.now();
      if (!batched) this.#turnOff('the stream does not allow batches any more');
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS)); // The next try asks again.
    }
    if (this.#state === 'opening') this.#state = 'closed';
    this.#wake();
  }

  #end(): void {
    this.#state = 'ending';
    if (this.#place.link.up) this.#sender.end();
  }

  #full(): boolean {
    const { sent, acked } = this.#pending;
    // The broker acks whole flows only: it says nothing more by itself when less than one is out.
    if (sent >= BATCH_MESSAGES_MAX || sent - acked < this.#flow) this.#end();
    return this.#starve();
  }

  #starve(): boolean {
    this.#starved = true;
    return false;
  }

  #wake(): void {
    if (!this.#starved || this.#closed) return;
    this.#starved = false;
    this.#listener.writable();
  }

  #answered(message: Msg): void {
    if (batchOf(message.subject) !== this.#sender.id || this.#state === 'closed' || this.#state === 'reading') return; // Of a batch that has its outcomes.
    const answer = readFastAnswer(message);
    this.#watch.heard();
    if (answer.kind === 'ack') this.#acked(answer.sequence, answer.messages);
    else if (answer.kind === 'done') this.#done({ stored: answer.count - this.#pending.acked, sequence: answer.sequence });
    else if (answer.kind === 'gone') void this.#readBack();
    else if (answer.kind === 'refused') this.#refuse(answer.of, answer.refusal);
  }

  /** Hot path, once for hundreds. */
  #acked(sequence: number, messages: number): void {
    const pending = this.#pending;
    this.#flow = messages;
    this.#window = Math.min(messages * ACKS_OUT, this.#settings.maxInFlightMessages, FAST_PENDING_MAX);
    if (this.#state === 'starting') this.#state = 'open';
    const upTo = Math.min(sequence, pending.sent);
    const id = this.#sender.id;
    while (pending.acked < upTo && this.#sender.id === id) this.#listener.acked(pending.take(), 0, false);
    this.#wake();
  }

  #refuse(of: number, refusal: PubRefusal): void {
    this.#refused ??= { of, refusal };
    const alone = this.#pending.sent === 1 && of === 1; // The broker has begun no batch for it.
    const disabled = BATCH_DISABLED.has(refusal.code);
    if (disabled) this.#turnOff(`${refusal.description} (${refusal.code})`);
    if (alone) this.#done({ stored: 0, sequence: 0 });
    else if (disabled) void this.#readBack(); // Its end would be refused too.
    else if (this.#state !== 'ending') this.#end();
  }

  #turnOff(why: string): void {
    if (!this.on) return;
    this.on = false;
    this.#listener.warning(offWarning(this.#settings.stream, why));
  }

  /** The broker has forgotten the batch: it restarted, or the batch lay idle. What it holds is final. */
  async #readBack(): Promise<void> {
    this.#state = 'reading';
    const verdict = await findOut(this.#pending.list(), {
      stream: this.#settings.stream,
      after: this.#base + this.#pending.acked,
      lastSequence: async () => (await this.#place.look()).last,
      readBack: this.#place.readBack,
      ended: () => this.#closed,
      up: () => this.#place.link.up,
      warning: (message) => this.#listener.warning(message),
    });
    if (!this.#closed) this.#done(verdict);
  }

  /** The batch is over. Null: nothing is known of what was not acked. */
  #done(verdict: Verdict | null): void {
    this.#base = verdict !== null && verdict.sequence > 0 ? verdict.sequence : -1;
    this.#baseAtMs = performance.now();
    this.#state = 'closed';
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    const { stream } = this.#settings;
    reportEnding(this.#listener, { stream, pending: this.#pending, verdict, refused: this.#refused });
    this.#wake();
  }

  #tick(): void {
    if (!this.#place.link.up || this.#state === 'reading') return this.#watch.heard();
    if (this.#state === 'open' && this.#pending.size < this.#flow) this.#watch.heard(); // Less than a flow is not acked.
    else this.#ask(this.#watch.judge());
    if (this.#state === 'open' && !this.#starved && this.#sentAtTick === this.#pending.sent) this.#end();
    this.#sentAtTick = this.#pending.sent;
  }

  /** An answer may have been lost: twice it is asked for, then the batch is ended. */
  #ask(verdict: ReturnType<FastWatch['judge']>): void {
    if (verdict === 'cut') this.#place.link.cut();
    else if (verdict === 'ask' && this.#state === 'open') this.#sender.ping();
    else if (verdict !== 'wait') this.#end();
  }
}
