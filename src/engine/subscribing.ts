/** `subscribe` and `replay`: checks what is asked against what the broker can do, starts the read, and hands deliveries over. */
import { DeadLetterDesk } from './dead-letter-desk.ts';
import { Inbound } from './inbound.ts';
import type { Consumer } from './inbound.ts';
import { IteratedDeliveries } from './iterated-deliveries.ts';
import type { Parts } from './parts.ts';
import { startAt } from './start-position.ts';
import { validated } from './validated-handler.ts';
import { validateFilter } from '../codec/subject.ts';
import { MillraceError } from '../api/errors.ts';
import type { Capabilities } from '../api/capabilities.ts';
import type { Delivery, Handler } from '../api/event.ts';
import type { SubscribeOptions } from '../api/options.ts';
import type { Subscription } from '../api/processor.ts';
import type { BrokerReader, ConsumeRequest } from '../processors/broker.ts';

const DEFAULTS = { maxInFlight: 1_000, ackWaitMs: 5_000, maxAttempts: 5, backoffMs: 100, concurrency: 1 } as const;

/** Kinds that have a capability, for the error that names them. */
const kindsWith: Readonly<Partial<Record<keyof Capabilities, string>>> = {
  durable: 'embedded, jetstream, dedupe, streaming, kafka',
  queueGroups: 'embedded, simple, jetstream, dedupe, streaming, kafka',
  wildcards: 'embedded, simple, jetstream, dedupe, kafka',
  replay: 'embedded, jetstream, dedupe, streaming, kafka',
};

export async function subscribe(parts: Parts, filter: string, handler: Handler | null, options: SubscribeOptions = {}): Promise<Subscription> { // oxlint-disable-line max-params -- mirrors the public call
  const { broker } = parts;
  checkRequest(parts, filter, options);
  const deadLetters = options.deadLetters ?? parts.options.deadLetters;
  await parts.refusals.prepare(deadLetters);
  const iterated = handler === null ? new IteratedDeliveries() : null;
  const consumer: Consumer = iterated ?? { auto: true, take: validated(handler!, options.schema) };
  const running = new RunningSubscription(filter, iterated);
  const inbound = new Inbound(
    { ...DEFAULTS, ...given(options), noAck: options.noAck === true || !broker.capabilities.acks },
    { consumer, desk: new DeadLetterDesk(parts.refusals, deadLetters, broker.stream), onEnd: (error) => running.end(error) },
  );
  const reader = await broker.consume(requestOf(parts, filter, options), inbound);
  running.start(inbound, reader);
  const { signal } = options;
  if (signal !== undefined) {
    if (signal.aborted) await running.close();
    else signal.addEventListener('abort', () => void running.close(), { once: true });
  }
  return running;
}

function given(options: SubscribeOptions): Partial<typeof DEFAULTS> {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

function requestOf({ broker }: Parts, filter: string, options: SubscribeOptions): ConsumeRequest {
  return {
    filter,
    durable: options.durable ?? '',
    queue: options.queue ?? '',
    start: startAt(options.start ?? (broker.capabilities.replay ? 'all' : 'new')),
    maxInFlight: options.maxInFlight ?? DEFAULTS.maxInFlight,
    ackWaitMs: options.ackWaitMs ?? DEFAULTS.ackWaitMs,
    noAck: options.noAck === true,
    confirmAcks: options.confirmAcks === true,
  };
}

/** What a broker cannot do is a typed error that says which kind can. */
function checkRequest({ broker }: Parts, filter: string, options: SubscribeOptions): void {
  const fault = validateFilter(filter);
  if (fault !== null) throw new MillraceError('MILLRACE_SUBJECT_INVALID', `filter ${JSON.stringify(filter)}: ${fault}`);
  const needs: [boolean, keyof Capabilities, string][] = [
    [options.durable !== undefined && options.durable !== '', 'durable', 'keep a durable position'],
    [options.queue !== undefined && options.queue !== '', 'queueGroups', 'share the work of a queue'],
    [/[*>]/.test(filter), 'wildcards', `read the wildcard filter ${filter}`],
    [options.start !== undefined && options.start !== 'new', 'replay', `start at ${options.start ?? ''}`],
  ];
  for (const [asked, capability, what] of needs) {
    if (asked && !broker.capabilities[capability]) throw new MillraceError('MILLRACE_NOT_SUPPORTED', `${broker.kind} cannot ${what}; these kinds can: ${kindsWith[capability] ?? 'none'}`);
  }
}

class RunningSubscription implements Subscription {
  readonly filter: string;
  readonly closed: Promise<void>;
  readonly #iterated: IteratedDeliveries | null;
  #inbound: Inbound | null = null;
  #reader: BrokerReader | null = null;
  #resolve!: () => void;
  #reject!: (error: MillraceError) => void;
  #ending: Promise<void> | null = null;

  constructor(filter: string, iterated: IteratedDeliveries | null) {
    this.filter = filter;
    this.#iterated = iterated;
    this.closed = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.closed.catch(() => undefined); // Whoever asks hears; nobody has to.
  }

  get received(): number {
    return this.#inbound?.received ?? 0;
  }

  start(inbound: Inbound, reader: BrokerReader): void {
    this.#inbound = inbound;
    this.#reader = reader;
    inbound.attach(reader);
  }

  /** The read has ended by itself. */
  end(error: MillraceError | null): void {
    this.#iterated?.end(error);
    if (error === null) this.#resolve();
    else this.#reject(error);
  }

  async drain(): Promise<void> {
    this.#reader?.pause();
    await this.#inbound?.drained();
    await this.close();
  }

  close(): Promise<void> {
    this.#ending ??= this.#close();
    return this.#ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery> {
    if (this.#iterated === null) throw new MillraceError('MILLRACE_USAGE', 'this subscription has a handler; one without can be iterated');
    return this.#iterated.iterator(() => this.close());
  }

  async #close(): Promise<void> {
    this.#inbound?.stop();
    this.#iterated?.end(null);
    await this.#reader?.flush();
    await this.#reader?.close();
    this.#resolve();
  }
}
