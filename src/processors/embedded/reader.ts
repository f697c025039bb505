/**
 * One read from the store: rounds of settle, claim and hand over. What is handed over is claimed in the same conditional write
 * that settles what came back, so two readers of one name never have the same message unless its lease has ended.
 */
import type { MillraceError } from '../../api/errors.ts';
import type { BrokerReader, ConsumeRequest, MessageReceiver } from '../broker.ts';
import type { ConsumerKeeper } from './consumer-keeper.ts';
import { Answers } from './answers.ts';
import type { Change, Claim, ConsumerState } from './consumer-state.ts';
import { applyChanges, claim, nextDue, release } from './consumer-state.ts';
import { storeError } from './errors.ts';
import { Inbound } from './inbound.ts';
import { Leases } from './leases.ts';
import { RecordView } from './record.ts';
import type { Store } from './store.ts';
import { readRecord } from './store.ts';
import type { Tail, TailListener } from './tail.ts';

/** Claimed in one go, so that readers of one name share fairly. */
const CLAIMS_MAX = 256;
/** Handed over before the event loop gets a turn. */
const TURN_BYTES = 1_048_576;
const MEMBER_MS = 15_000;
const TIMER_MS_MAX = 1_000;

export interface ReaderOptions {
  readonly store: Store;
  readonly tail: Tail;
  readonly keeper: ConsumerKeeper;
  readonly request: ConsumeRequest;
  readonly receiver: MessageReceiver;
  readonly scan: (state: ConsumerState, limit: number) => readonly number[];
  /** A queue group without a durable name: it is forgotten with its last member. */
  readonly member: boolean;
  readonly onClosed: (reader: Reader) => void;
}

export class Reader implements BrokerReader, TailListener {
  readonly #options: ReaderOptions;
  readonly #owner = Math.floor(Math.random() * 0xffff_fffe) + 1;
  readonly #view = new RecordView();
  readonly #inbound = new Inbound(this.#view);
  /** Handed over (or about to be) and not settled, by sequence. */
  readonly #leases = new Leases();
  readonly #ready: Claim[] = [];
  readonly #answers = new Answers();
  #memberUntil = 0;
  #running: Promise<void> | null = null;
  #again = false;
  #paused = false;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ReaderOptions) {
    this.#options = options;
    options.tail.add(this);
    setImmediate(() => this.wake()); // never within consume(): the caller has no reader yet
  }

  wake(): void {
    if (this.#closed) return;
    if (this.#running !== null) this.#again = true;
    else this.#running = this.#run();
  }

  refresh(): void {
    if (this.#running === null && this.#options.keeper.refresh()) this.wake();
  }

  fail(error: unknown): void {
    this.#end(storeError(this.#options.store.path, 'read', error));
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await Promise.resolve(); // so that acks given in one go are settled in one write
        while (!this.#closed && (await this.#round()));
      } while (this.#again && !this.#closed);
    } catch (error) {
      this.fail(error);
    } finally {
      this.#running = null;
    }
    if (!this.#closed) this.#armTimer();
  }

  /** True = there may be more to do at once. */
  async #round(): Promise<boolean> {
    const now = Date.now();
    this.#leases.dropExpired(now);
    if (await this.#handOver()) return true;
    const wanted = this.#wanted();
    const { keeper, request } = this.#options;
    const cursor = keeper.state.cursor;
    const mayClaim = wanted > 0;
    if (this.#answers.count === 0 && !mayClaim) return false;
    let claims: Claim[] = [];
    const asked = {
      owner: this.#owner,
      limit: wanted,
      nowMs: now,
      ackWaitMs: request.ackWaitMs,
      noAck: request.noAck,
      scan: this.#options.scan,
    };
    await this.#answers.write((changes) =>
      keeper.update((state) => {
        applyChanges(state, changes, this.#owner);
        const renewed = this.#renewMembership(state, now);
        claims = mayClaim ? claim(state, asked) : [];
        return changes.length > 0 || claims.length > 0 || renewed;
      }),
    );
    for (const claimed of claims) {
      this.#ready.push(claimed);
      if (!request.noAck) this.#leases.add(claimed, now + request.ackWaitMs);
    }
    return claims.length > 0 || keeper.state.cursor !== cursor || this.#answers.count > 0;
  }

  #wanted(): number {
    if (this.#paused || this.#ready.length > 0) return 0;
    const { noAck, maxInFlight } = this.#options.request;
    return noAck ? CLAIMS_MAX : Math.min(CLAIMS_MAX, maxInFlight - this.#leases.count);
  }

  #renewMembership(state: ConsumerState, now: number): boolean {
    if (!this.#options.member || now < this.#memberUntil - MEMBER_MS / 2) return false;
    this.#memberUntil = now + MEMBER_MS;
    state.members.set(this.#owner, this.#memberUntil);
    return true;
  }

  /** Hands over what is claimed until paused or the turn is used up; true = something was handed over. */
  async #handOver(): Promise<boolean> {
    let bytes = 0;
    let count = 0;
    while (this.#ready.length > count && !this.#paused && !this.#closed && bytes < TURN_BYTES) {
      const claimed = this.#ready[count++]!;
      const { noAck } = this.#options.request;
      if (!noAck && !this.#leases.has(claimed)) continue; // its lease ended while we were paused
      if (readRecord(this.#options.store, claimed.sequence, this.#view)) {
        bytes += this.#view.end;
        this.#options.receiver.message(this.#inbound.set(claimed));
      } else this.#settle(claimed, { kind: 'done', sequence: claimed.sequence }); // removed by retention since
    }
    this.#ready.splice(0, count);
    if (count > 0) await new Promise((resolve) => setImmediate(resolve));
    return count > 0;
  }

  #armTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const due = Math.min(nextDue(this.#options.keeper.state), this.#options.member ? this.#memberUntil - MEMBER_MS / 2 : Infinity);
    if (due === Infinity) return;
    this.#timer = setTimeout(() => this.wake(), Math.min(TIMER_MS_MAX, Math.max(1, due - Date.now() + 1)));
  }

  #settle(handle: unknown, change: Change): void {
    if (this.#closed || this.#options.request.noAck) return;
    if (!this.#leases.answer(handle as Claim, change)) return;
    this.#answers.add(change);
    this.wake();
  }

  ack(handle: unknown): void {
    this.#settle(handle, { kind: 'done', sequence: (handle as Claim).sequence });
  }

  nak(handle: unknown, delayMs: number): void {
    this.#settle(handle, { kind: 'again', sequence: (handle as Claim).sequence, atMs: Date.now() + Math.max(0, delayMs) });
  }

  term(handle: unknown, _reason: string): void {
    this.ack(handle);
  }

  working(handle: unknown): void {
    this.#settle(handle, { kind: 'extend', sequence: (handle as Claim).sequence, atMs: Date.now() + this.#options.request.ackWaitMs });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** A position in the store is written and flushed with its acks, so sent and confirmed are the same. */
  async flush(): Promise<void> {
    await this.#answers.flush();
  }

  #end(error: MillraceError): void {
    if (this.#closed) return;
    this.#stop();
    this.#answers.abandon();
    this.#options.onClosed(this);
    this.#options.receiver.ended(error);
  }

  #stop(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#options.tail.remove(this);
  }

  /** What was handed over and not settled is free for others at once; it keeps its count of deliveries. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#stop();
    await this.#running;
    const { keeper, member, request } = this.#options;
    try {
      await this.#answers.write((changes) =>
        keeper.update((state) => {
          applyChanges(state, changes, this.#owner);
          release(state, this.#owner, Date.now());
          return true;
        }),
      );
      if (member && keeper.state.members.size === 0) await keeper.forget();
    } catch (error) {
      throw storeError(this.#options.store.path, `keep the position of '${request.durable || request.queue}' in`, error);
    } finally {
      this.#answers.abandon();
      this.#options.onClosed(this);
    }
  }
}
