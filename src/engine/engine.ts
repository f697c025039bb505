/** One `EventProcessor`: a broker behind a ring and a pool. Nothing is global: two engines in one process share nothing. */
import { randomBytes } from 'node:crypto';
import { Dispatcher } from './dispatch.ts';
import { DryBroker } from './dry-broker.ts';
import type { IngestParts } from './ingest.ts';
import { LedgerBook } from './ledger.ts';
import { lettersOpener } from './letter-target.ts';
import { closeEngine } from './lifecycle.ts';
import { Outbound } from './outbound.ts';
import { ingestOnDemand, replayOnDemand, subscribeOnDemand } from './on-demand.ts';
import { OpenCalls } from './open-calls.ts';
import type { Parts } from './parts.ts';
import { PublishGate } from './publish-gate.ts';
import { PublishLane } from './publish-lane.ts';
import { Recovery } from './recovery.ts';
import { Refusals } from './refusals.ts';
import { Signals } from './signals.ts';
import { sourcesOf } from './source-list.ts';
import { statsOf } from './stats.ts';
import { Ring } from '../memory/ring.ts';
import { PipelineTable } from '../memory/pipeline.ts';
import { DedupeWindow, windowBytes } from '../memory/window.ts';
import { MillraceError } from '../api/errors.ts';
import type { Capabilities, ProcessorKind } from '../api/capabilities.ts';
import type { Delivery, Handler, PublishOptions, Receipt, WorkerHandler } from '../api/event.ts';
import type { DrainOptions, IngestOptions, ReplayOptions, Source, SubscribeOptions } from '../api/options.ts';
import type { EventProcessor, ProcessorEvents, Subscription } from '../api/processor.ts';
import type { Health, IngestReport, Ledger, Stats } from '../api/report.ts';
import type { ResolvedOptions } from '../config/resolved.ts';
import { version } from '../config/version.ts';
import type { Broker } from '../processors/broker.ts';
import { createBroker } from '../processors/registry.ts';

const NO_OPTIONS: PublishOptions = {};
/** The first ack of a process has mostly come by then; threads that start would cost it 30 of 230 ms. */
const WARM_UP_MS = 50;

export interface OpenOptions {
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** In place of the kind's own: faults are tried at this border. */
  readonly broker?: Broker;
}

export class Engine implements EventProcessor {
  readonly kind: ProcessorKind;
  readonly capabilities: Capabilities;
  readonly #parts: Parts;
  readonly #outbound: Outbound;
  readonly #pipelines: PipelineTable;
  readonly #lane: PublishLane;
  readonly #recovery: Recovery;
  readonly #book: LedgerBook = new LedgerBook();
  readonly #nonce: string = randomBytes(8).toString('hex');
  readonly #subscriptions: Set<Subscription> = new Set();
  readonly #gate: PublishGate;
  readonly #ingests: OpenCalls = new OpenCalls();
  readonly #ending: AbortController = new AbortController(); // Sources are read no further.
  #draining = false;
  #closing: Promise<void> | null = null;

  private constructor(options: ResolvedOptions, broker: Broker) {
    this.kind = broker.kind;
    this.capabilities = broker.capabilities;
    const { slabs, slabBytes, workers, maxEventBytes, dedupeCapacity, deadLetters } = options;
    const ring = Ring.create({ slabs, slabBytes, workers, eventBytesMax: maxEventBytes, windowBytes: windowBytes(dedupeCapacity) });
    const window = new DedupeWindow(ring, dedupeCapacity);
    window.format({ windowMs: options.dedupeWindowMs, nowMs: Date.now() });
    const signals = new Signals(options.logger);
    const refusals = new Refusals(signals, { processor: broker.kind, target: options.url }, lettersOpener(Engine, broker));
    this.#parts = { ring, broker, window, options, signals, refusals };
    const pool = {
      workers,
      windowCapacity: dedupeCapacity,
      workerTimeoutMs: options.workerTimeoutMs,
      workerHeapMiB: options.workerHeapMiB,
    };
    this.#outbound = new Outbound(this.#parts, (listener) => new Dispatcher(ring, window, pool, listener));
    this.#recovery = new Recovery(this.#parts, this.#outbound, this.#nonce);
    this.#pipelines = new PipelineTable(ring);
    this.#lane = new PublishLane(this.#parts, {
      outbound: this.#outbound,
      pipelines: this.#pipelines,
      nonce: this.#nonce,
      book: this.#book,
      deadLetters,
    });
    this.#gate = new PublishGate(this.#parts, { lane: this.#lane, recovery: this.#recovery });
  }

  /** Connects; fails within `connectTimeout`, and then leaves nothing behind. */
  static async open(options: ResolvedOptions, { dryRun = false, signal, broker: given }: OpenOptions = {}): Promise<Engine> {
    const broker = given ?? (dryRun ? new DryBroker(options.kind) : await createBroker(options));
    const engine = new Engine(options, broker);
    try {
      // Both at once, for the sake of the first ack; neither is left half done when the other fails.
      const opened = await Promise.allSettled([engine.#parts.refusals.prepare(options.deadLetters), broker.open(engine.#outbound, signal)]);
      for (const one of opened) if (one.status === 'rejected') throw one.reason;
      engine.#parts.signals.state('open');
      engine.#outbound.dispatcher.warmUp(WARM_UP_MS);
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Not `async`: that would make a second promise for each event. */
  publish(subject: string, event: unknown, options: PublishOptions = NO_OPTIONS): Promise<Receipt> {
    try {
      this.#checkOpen();
      return this.#gate.publish(subject, event, options);
    } catch (error) {
      return Promise.reject(error as MillraceError);
    }
  }

  tryPublish(subject: string, event: unknown, options: PublishOptions = NO_OPTIONS): boolean {
    this.#checkOpen();
    return this.#gate.tryPublish(subject, event, options);
  }

  async ingest(source: Source | readonly Source[], options: IngestOptions = {}): Promise<IngestReport> {
    this.#checkOpen();
    if (options.dryRun === true && this.#parts.broker.path !== 'dry-run') {
      await using dry = await Engine.open(this.#parts.options, { dryRun: true });
      return await dry.ingest(source, options);
    }
    this.#outbound.dispatcher.warmUp();
    return this.#ingests.during(ingestOnDemand(this.#ingestParts(), sourcesOf(source), options));
  }

  async subscribe(filter: string, handler?: Handler | WorkerHandler | SubscribeOptions, options?: SubscribeOptions): Promise<Subscription> {
    this.#checkOpen();
    const [call, given] =
      typeof handler === 'function' || (typeof handler === 'object' && 'module' in handler) ? [handler, options] : [null, handler];
    const subscription = await subscribeOnDemand(this.#parts, filter, call, given);
    this.#subscriptions.add(subscription);
    const ended = subscription.closed.finally(() => this.#subscriptions.delete(subscription));
    // Whoever iterates gets the error from the loop; a handler has nobody else to tell.
    ended.catch((error: unknown) => (call === null ? undefined : this.#parts.signals.emit('error', error as MillraceError)));
    return subscription;
  }

  replay(options: ReplayOptions = {}): AsyncIterable<Delivery> {
    this.#checkOpen();
    return replayOnDemand(this.#parts, options);
  }

  async health(): Promise<Health> {
    const { broker, signals } = this.#parts;
    const state = signals.current;
    if (this.#closing !== null) return { ok: false, state, rttMs: null, server: null, reasons: ['the processor is closed'] };
    const { rttMs, server, reasons } = await broker.health();
    const all = [...(state === 'open' ? [] : [`state: ${state}`]), ...(signals.refusing === null ? [] : [signals.refusing]), ...reasons];
    return { ok: all.length === 0, state, rttMs, server, reasons: all };
  }

  stats(): Stats {
    return statsOf(this.#parts, this.#book, this.#outbound.dispatcher);
  }

  async flush(): Promise<void> {
    await this.#gate.entered();
    this.#lane.dispatch();
    const sequence = this.#parts.ring.nextSequence;
    while (!this.#outbound.isSettledBelow(sequence) && !this.#outbound.closed) await this.#outbound.whenReleased();
    await this.#parts.refusals.flush();
  }

  async drain({ timeoutMs = this.#parts.options.drainTimeoutMs }: DrainOptions = {}): Promise<Ledger> {
    if (this.#closing !== null) return this.#book.snapshot();
    this.#draining = true;
    this.#parts.signals.state('draining');
    const finish = async (): Promise<void> => {
      this.#ending.abort();
      await Promise.all([this.#ingests.none(), ...[...this.#subscriptions].map((subscription) => subscription.drain())]);
      await this.flush();
    };
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, timeoutMs, 'late')));
    const outcome = await Promise.race([finish(), timeout]);
    clearTimeout(timer);
    const open = this.#book.inFlight;
    if (outcome === 'late' && open > 0) {
      const error = new MillraceError('MILLRACE_DRAIN_TIMEOUT', `${open} events were not settled within ${timeoutMs} ms`, {
        context: { inFlight: open },
      });
      await this.close();
      throw error;
    }
    this.#parts.signals.emit('drain', this.#book.snapshot());
    await this.close();
    return this.#book.snapshot();
  }

  close(): Promise<void> {
    this.#ending.abort();
    this.#closing ??= closeEngine({ parts: this.#parts, outbound: this.#outbound, lane: this.#lane, subscriptions: this.#subscriptions });
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  on<E extends keyof ProcessorEvents>(event: E, listener: ProcessorEvents[E]): this {
    this.#parts.signals.on(event, listener);
    return this;
  }

  off<E extends keyof ProcessorEvents>(event: E, listener: ProcessorEvents[E]): this {
    this.#parts.signals.off(event, listener);
    return this;
  }

  #ingestParts(): IngestParts {
    return {
      parts: this.#parts,
      outbound: this.#outbound,
      pipelines: this.#pipelines,
      book: this.#book,
      nonce: this.#nonce,
      version,
      recovery: this.#recovery,
      ending: this.#ending.signal,
    };
  }

  #checkOpen(): void {
    if (this.#draining || this.#closing !== null)
      throw new MillraceError('MILLRACE_CLOSED', `the processor is ${this.#closing === null ? 'draining' : 'closed'}`);
  }
}
