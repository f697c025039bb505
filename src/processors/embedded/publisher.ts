/**
 * Takes messages while credit lasts, copies them at once, and reports each `acked` only when its transaction is committed and
 * on disk. A few groups are in flight at a time; while they are, the next one fills: natural batching.
 */
import { MillraceError } from '../../api/errors.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { OutboundMessage, PublishListener } from '../broker.ts';
import { WRITING, storeError } from './errors.ts';
import { acked, failed, unknown } from './group-outcomes.ts';
import type { Group } from './group.ts';
import { Intake } from './intake.ts';
import { SUBJECT_BYTES_MAX } from './record.ts';
import type { Store } from './store.ts';
import { Writer } from './writer.ts';

export const MESSAGE_BYTES_MAX: number = 64 * 1_048_576;
/** UTF-8 has at most 3 bytes for each. */
const SUBJECT_CHARACTERS_MAX = SUBJECT_BYTES_MAX / 3;
const GROUPS_IN_FLIGHT_MAX = 4;
const WATCH_MS = 1_000;

export interface PublisherOptions extends Pick<ResolvedOptions, 'maxInFlightBytes' | 'maxInFlightMessages' | 'publishTimeoutMs'> {
  readonly store: Store;
  readonly listener: PublishListener;
  /** Newest time stored: times never go back, so that a search by time can be binary. */
  readonly lastTimeMs: number;
  /** After a group has landed. */
  readonly onStored: () => void;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #writer: Writer;
  readonly #intake: Intake;
  readonly #flying: Group[] = [];
  #scheduled = false;
  #starved = false;
  #conflicted = false;
  /** A group failed: the head in the store is not the one the writer expects. */
  #headUnknown = false;
  #closing = false;
  #broken: MillraceError | null = null;
  #lastFailure: MillraceError | null = null;
  #idle: (() => void)[] = [];
  readonly #watch: NodeJS.Timeout;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#writer = new Writer(options.store);
    this.#intake = new Intake(options, options.lastTimeMs);
    this.#watch = setInterval(() => this.#checkStuck(), WATCH_MS).unref();
  }

  get broken(): MillraceError | null {
    return this.#broken;
  }

  /** Why the newest write failed; null again after one that succeeded. */
  get lastFailure(): MillraceError | null {
    return this.#lastFailure;
  }

  /** Hot path. */
  tryPublish(message: OutboundMessage, token: number): boolean {
    if (this.#closing || this.#broken !== null) return false;
    if (!this.#intake.hasCredit(message)) return this.#refuse();
    if (message.end - message.start > MESSAGE_BYTES_MAX || message.subject.length > SUBJECT_CHARACTERS_MAX)
      return this.#reject(message, token);
    if (!this.#intake.fits(message) && !this.#launch()) return this.#refuse();
    this.#intake.add(message, token);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#turn);
    }
    return true;
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#launch();
  };

  #refuse(): false {
    this.#starved = true;
    return false;
  }

  /** Never within tryPublish. */
  #reject(message: OutboundMessage, token: number): true {
    const error = tooLarge(message);
    queueMicrotask(() => this.#options.listener.failed(token, error));
    return true;
  }

  /** Sends the open group off; false when it must wait. */
  #launch(): boolean {
    if (this.#intake.open === null) return true;
    if (this.#conflicted || this.#broken !== null || this.#flying.length >= GROUPS_IN_FLIGHT_MAX) return false;
    // Neither after a failure nor into the other way of writing while some are in flight: they might be overtaken.
    const locked = this.#writer.shared;
    if (this.#flying.length > 0 && (locked || this.#headUnknown)) return false;
    if (this.#headUnknown) this.#writer.resynchronize();
    this.#headUnknown = false;
    const group = this.#intake.take()!;
    this.#flying.push(group);
    this.#send(group, locked);
    return true;
  }

  #send(group: Group, locked: boolean): void {
    group.startedMs = performance.now();
    group.conflict = false;
    const sent = locked ? this.#writer.putLocked(group) : this.#writer.put(group);
    sent.then(
      (landing) => this.#landed(group, landing === 'conflict'),
      (error: unknown) => this.#failed(group, error),
    );
  }

  #landed(group: Group, conflict: boolean): void {
    group.landed = true;
    group.conflict = conflict;
    this.#settleLanded();
  }

  #failed(group: Group, error: unknown): void {
    group.error = error;
    this.#landed(group, false);
  }

  /** Oldest first: acks come in commit order. A conflict waits until all in flight have come back, then they go again in order. */
  #settleLanded(): void {
    if (this.#broken !== null) return;
    while (this.#flying.length > 0 && this.#flying[0]!.landed && !this.#flying[0]!.conflict) this.#settle(this.#flying.shift()!);
    this.#conflicted = this.#flying.some((group) => group.conflict);
    if (this.#conflicted) {
      if (this.#flying.every((group) => group.landed)) void this.#again(this.#flying.filter((group) => group.conflict));
    } else this.#refill();
  }

  async #again(groups: readonly Group[]): Promise<void> {
    for (const other of this.#flying.filter((group) => !group.conflict)) this.#settle(other);
    this.#flying.length = 0;
    this.#flying.push(...groups);
    for (const group of groups) group.landed = false;
    for (const group of groups) {
      try {
        await this.#writer.putLocked(group);
      } catch (error) {
        group.error = error;
      }
      group.landed = true;
      group.conflict = false;
      this.#settleLanded();
    }
  }

  #refill(): void {
    this.#launch();
    if (this.#starved && this.#broken === null && !this.#closing) {
      this.#starved = false;
      this.#options.listener.writable();
    }
    if (this.#flying.length === 0 && this.#intake.open === null) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #settle(group: Group): void {
    const { listener, store, onStored } = this.#options;
    this.#intake.returnCredit(group);
    if (group.error === null) {
      this.#lastFailure = null;
      acked(listener, group);
    } else {
      this.#headUnknown = true;
      const error = storeError(store.path, WRITING, group.error);
      this.#lastFailure = error;
      if (!this.#writer.canWrite()) return this.#die(group, error);
      failed(listener, group, error);
    }
    const stored = group.error === null;
    this.#intake.recycle(group);
    if (stored) onStored();
  }

  /** LMDB-js never settles a write whose transaction could not begin (a store that has panicked): time is all that tells. */
  #checkStuck(): void {
    const oldest = this.#flying[0];
    if (oldest === undefined || performance.now() - oldest.startedMs < this.#options.publishTimeoutMs) return;
    const error = new MillraceError(
      'MILLRACE_STORE',
      `the store '${this.#options.store.path}' has not answered a write for ${this.#options.publishTimeoutMs} ms; check the disk and open it again`,
      { outcome: 'unknown' },
    );
    this.#giveUp(error, this.#flying.splice(0));
  }

  /** The meta page could not be written: whether the group counts will be seen when the store is opened again. */
  #die(group: Group, cause: MillraceError): void {
    const error = new MillraceError('MILLRACE_STORE', `${cause.message}; it takes no more writes, open it again`, {
      outcome: 'unknown',
      cause,
    });
    this.#giveUp(error, [group, ...this.#flying.splice(0)]);
  }

  /** Their memory is never used again: LMDB may still read it. */
  #giveUp(error: MillraceError, flying: readonly Group[]): void {
    this.#broken = error;
    const open = this.#intake.take();
    const groups = open === null ? flying : [...flying, open];
    for (const group of groups) unknown(this.#options.listener, group, error);
    for (const resolve of this.#idle.splice(0)) resolve();
    this.#options.listener.state('closed', error);
  }

  /** Resolves when all that was taken has its outcome. */
  async flush(): Promise<void> {
    if (this.#flying.length === 0 && this.#intake.open === null) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#launch();
    await this.flush();
    clearInterval(this.#watch);
  }
}

const tooLarge = (message: OutboundMessage): MillraceError =>
  new MillraceError(
    'MILLRACE_EVENT_TOO_LARGE',
    `${message.end - message.start} B with a subject of ${message.subject.length} characters; the embedded store takes ${MESSAGE_BYTES_MAX} B and ${SUBJECT_CHARACTERS_MAX} characters`,
    { context: { processor: 'embedded' } },
  );
