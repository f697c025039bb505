/** One call of `ingest`: its ledger, limits, pace and clock, over all its sources. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { EventLoopUtilization, IntervalHistogram } from 'node:perf_hooks';
import { LedgerBook } from './ledger.ts';
import type { Framing } from '../api/event.ts';
import type { MillraceError } from '../api/errors.ts';
import type { IngestOptions } from '../api/options.ts';
import type { IngestReport, Progress } from '../api/report.ts';
import { redactUrl } from '../config/redact.ts';
import type { ResolvedOptions } from '../config/resolved.ts';

const PROGRESS_MS = 100;
/** Records per slab at a limited rate: twenty slabs a second keep the pace even. */
const PACE_SLABS_PER_SECOND = 20;
/** Small: too few records in the first slab are made up for by the next, too many would pass at once. */
const FIRST_GUESS_BYTES = 32;

export class IngestJob {
  readonly options: IngestOptions;
  readonly resolved: ResolvedOptions;
  readonly book: LedgerBook;
  readonly framing: Framing;
  readonly strict: boolean;
  readonly deadLetters: string;
  bytesIn = 0;
  /** Records that `limit` still allows. */
  recordsLeft: number;
  outstanding = 0;
  error: MillraceError | null = null;
  stopped = false;
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
  readonly #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  readonly #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #startedMs = 0;
  #progress: NodeJS.Timeout | null = null;
  #bytesTotal: number | null = null;
  #idle: (() => void) | null = null;
  #resumedFrom: string | null = null;
  readonly #readings: Map<string, number> = new Map();

  constructor(resolved: ResolvedOptions, options: IngestOptions, parent: LedgerBook) {
    this.options = options;
    this.resolved = resolved;
    this.book = new LedgerBook(parent);
    this.framing = options.framing ?? resolved.framing ?? 'batch';
    this.strict = (options.ordering ?? resolved.ordering) === 'strict';
    this.deadLetters = options.deadLetters ?? resolved.deadLetters;
    this.recordsLeft = options.limit ?? Number.POSITIVE_INFINITY;
  }

  start(bytesTotal: number | null): void {
    this.#bytesTotal = bytesTotal;
    this.#delay.enable();
    this.#startedMs = performance.now();
    const { onProgress } = this.options;
    if (onProgress !== undefined) this.#progress = setInterval(() => onProgress(this.progress()), PROGRESS_MS);
  }

  stop(): void {
    this.#delay.disable();
    if (this.#progress !== null) clearInterval(this.#progress);
    this.#progress = null;
  }

  /** Nothing more of the source is read. */
  get ended(): boolean {
    return this.error !== null || this.stopped || this.recordsLeft <= 0 || this.options.signal?.aborted === true;
  }

  /** How often this source was begun before. */
  readingsBefore(identity: string): number {
    const before = this.#readings.get(identity) ?? 0;
    this.#readings.set(identity, before + 1);
    return before;
  }

  /** Where the first source begins that is not begun at its start. */
  resumed(name: string, position: number): void {
    if (position > 0) this.#resumedFrom ??= `byte ${position} of ${name}`;
  }

  fail(error: MillraceError): void {
    this.error ??= error;
  }

  dispatched(): void {
    this.outstanding += 1;
  }

  released(): void {
    this.outstanding -= 1;
    if (this.outstanding === 0) this.#idle?.();
  }

  /** Resolves when every slab of this job has been released. */
  async settled(): Promise<void> {
    if (this.outstanding > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Its rate is limited. */
  get paced(): boolean {
    return this.options.maxRate !== undefined;
  }

  /** Waits until the rate allows more, by what was really accepted so far. */
  async pace(): Promise<void> {
    const { maxRate } = this.options;
    if (maxRate === undefined) return;
    for (;;) {
      const dueMs = this.#startedMs + (this.book.accepted / maxRate) * 1_000;
      const waitMs = this.outstanding > 0 ? 1 : dueMs - performance.now();
      if (waitMs <= 0 || this.ended) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, 100)));
    }
  }

  /** Bytes to put into the next slab: all it holds, or as many as a limited rate wants at once. */
  goalBytes(): number {
    const { maxRate } = this.options;
    if (maxRate === undefined) return Number.POSITIVE_INFINITY;
    const each = this.book.accepted === 0 ? FIRST_GUESS_BYTES : this.bytesIn / this.book.accepted;
    return Math.ceil(Math.max(1, maxRate / PACE_SLABS_PER_SECOND) * each);
  }

  progress(): Progress {
    const elapsedMs = performance.now() - this.#startedMs;
    const ledger = this.book.snapshot();
    return { ...ledger, bytesIn: this.bytesIn, bytesTotal: this.#bytesTotal, elapsedMs, eventsPerSecond: rate(ledger.accepted, elapsedMs) };
  }

  report(version: string): IngestReport {
    const elapsedMs = performance.now() - this.#startedMs;
    const { book, resolved } = this;
    const { user, system } = process.cpuUsage(this.#cpu);
    const { utilization } = performance.eventLoopUtilization(this.#utilization);
    const delay = this.#delay.percentile(99) / 1e6;
    return {
      version,
      to: resolved.url,
      processor: resolved.kind,
      workers: resolved.workers,
      framing: this.framing,
      ...book.snapshot(),
      retries: book.retries,
      messages: book.messages,
      bytesIn: this.bytesIn,
      bytesOut: book.bytesOut,
      elapsedMs: round(elapsedMs, 1),
      eventsPerSecond: Math.round(rate(book.accepted, elapsedMs)),
      cpuSeconds: round((user + system) / 1e6, 3),
      eventLoop: { utilization: round(utilization, 3), delayP99Ms: Number.isFinite(delay) ? round(delay, 2) : 0 },
      resumedFrom: this.#resumedFrom,
      deadLetters: this.deadLetters !== 'off' && book.rejected + book.failed > 0 ? redactUrl(this.deadLetters) : null,
    };
  }
}

function rate(events: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : (events * 1_000) / elapsedMs;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
