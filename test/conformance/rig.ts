/** One promise's own piece of a broker: processors that are all closed in the end, subjects nobody else uses, and readers that fill a list. */
import type { Capabilities, ConnectOptions, Delivery, EventProcessor, Handler, SubscribeOptions, Subscription } from '../../src/index.ts';
import { connect } from '../../src/index.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Place, Setup } from './setup.ts';

/** A delivery as it was when it arrived. */
export type Seen = Pick<Delivery, 'event' | 'subject' | 'id' | 'sequence' | 'index' | 'time' | 'headers' | 'redeliveries'>;

export interface Reading {
  readonly processor: EventProcessor;
  readonly subscription: Subscription;
  readonly seen: Seen[];
  /** Their events. */
  readonly events: unknown[];
  /** Resolves when so many have arrived. */
  until(count: number): Promise<void>;
}

export interface RigOptions {
  readonly setup: Setup;
  readonly place: Place;
  readonly workers: number;
  readonly name: string;
  readonly deadlineMs: number;
  /** Of every processor of this rig. */
  readonly options: ConnectOptions;
}

const SMALL: ConnectOptions = { deadLetters: 'off', dedupeCapacity: 16_384, env: {} };

export class Rig {
  readonly setup: Setup;
  readonly place: Place;
  readonly workers: number;
  readonly deadlineMs: number;
  /** First token of every subject, and the name of the stream, topic or store. */
  readonly name: string;
  readonly #options: ConnectOptions;
  readonly #open: EventProcessor[] = [];
  #publisher: EventProcessor | null = null;
  #fences = 0;

  constructor({ setup, place, workers, name, deadlineMs, options }: RigOptions) {
    this.setup = setup;
    this.place = place;
    this.workers = workers;
    this.name = name;
    this.deadlineMs = deadlineMs;
    this.#options = options;
  }

  get url(): string {
    return this.place.url(this.name);
  }

  /** The processor that publishes. */
  get publisher(): EventProcessor {
    return this.#publisher!;
  }

  get capabilities(): Capabilities {
    return this.publisher.capabilities;
  }

  subject(tail = 'e'): string {
    return `${this.name}.${tail}`;
  }

  /** All subjects below `tail` where there are wildcards, else that one. */
  filter(tail = 'e'): string {
    return this.capabilities.wildcards ? `${this.subject(tail)}.>` : this.subject(tail);
  }

  /** Where the n-th of several publishes below `filter(tail)` goes. */
  spread(n: number, tail = 'e'): string {
    return this.capabilities.wildcards ? `${this.subject(tail)}.s${n}` : this.subject(tail);
  }

  /** The first processor, and its stream made by a first event that no filter of a promise takes. */
  async start(): Promise<void> {
    this.#publisher = await this.connect();
    await this.#publisher.publish(this.subject('primer'), 'primer');
  }

  /** Another processor of the same place. */
  async connect(options: ConnectOptions = {}): Promise<EventProcessor> {
    const open = this.setup.open ?? connect;
    const processor = await open(this.url, { ...SMALL, workers: this.workers, ...this.#options, ...options });
    this.#open.push(processor);
    return processor;
  }

  /** A reader with a processor of its own, so that nothing in this process can hand events over but the broker. */
  async read(filter: string, options: SubscribeOptions = {}, handler: Handler = () => undefined): Promise<Reading> {
    // oxlint-disable-line max-params -- as `subscribe`
    return this.readOn(await this.connect({ workers: 0 }), filter, { handler, ...options });
  }

  async readOn(
    processor: EventProcessor,
    filter: string,
    { handler = () => undefined, ...options }: SubscribeOptions & { readonly handler?: Handler } = {},
  ): Promise<Reading> {
    const seen: Seen[] = [];
    const events: unknown[] = [];
    const take: Handler = (event, delivery) => {
      seen.push(snapshot(delivery));
      events.push(event);
      return handler(event, delivery) as void | Promise<void>;
    };
    const subscription = await processor.subscribe(filter, take, options);
    const until = (count: number): Promise<void> =>
      this.wait(
        `${count} events of ${filter}`,
        () => seen.length >= count,
        () => `${seen.length} came`,
      );
    return { processor, subscription, seen, events, until };
  }

  /** Everything that has reached the reader before an event published now on the same subject: what comes twice is among it. */
  async fence(reading: Reading, subject: string = this.subject()): Promise<readonly Seen[]> {
    const mark = `fence ${++this.#fences}`;
    await this.publisher.publish(subject, mark);
    await this.wait(
      'the last event',
      () => reading.events.includes(mark),
      () => JSON.stringify(reading.events).slice(0, 300),
    );
    return reading.seen
      .slice(0, reading.events.indexOf(mark))
      .filter(({ event }) => !(typeof event === 'string' && event.startsWith('fence ')));
  }

  async wait(what: string, condition: () => boolean | Promise<boolean>, found: () => string = () => ''): Promise<void> {
    try {
      await waitFor(what, condition, this.deadlineMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}; ${found()}`, { cause: error });
    }
  }

  /** Every processor ends, also after a failure. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#open.map((processor) => processor.close()));
  }
}

export function snapshot({ event, subject, id, sequence, index, time, headers, redeliveries }: Delivery): Seen {
  return { event, subject, id, sequence, index, time, headers: { ...headers }, redeliveries };
}
