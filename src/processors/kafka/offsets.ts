/** Where a read begins in each partition, and what is the newest record that matches: asked of the broker, never guessed. */
import type { SubjectFilter } from '../../api/subject-filter.ts';
import type { StartAt } from '../broker.ts';
import type { FetchedRecord } from './inbound-message.ts';
import type { Consumer, KafkaLibrary } from './kafka-library.ts';
import { fetchOptions, recordsOf } from './records-of.ts';
import type { TopicLayout } from './topic-setup.ts';

/** Records looked at in the first step back from a partition's end; each next step is twice as long. */
const SCAN_STEP = 256;

export class Offsets {
  readonly #library: KafkaLibrary;
  readonly #consumer: Consumer;
  readonly #topic: string;
  readonly #layout: TopicLayout;
  readonly #matches: SubjectFilter;

  constructor(
    library: KafkaLibrary,
    consumer: Consumer,
    place: { readonly topic: string; readonly layout: TopicLayout; readonly matches: SubjectFilter },
  ) {
    this.#library = library;
    this.#consumer = consumer;
    this.#topic = place.topic;
    this.#layout = place.layout;
    this.#matches = place.matches;
  }

  earliest(): Promise<number[]> {
    return this.#list(this.#library.ListOffsetTimestamps.EARLIEST);
  }

  /** One behind the last record of each partition. */
  latest(): Promise<number[]> {
    return this.#list(this.#library.ListOffsetTimestamps.LATEST);
  }

  async start(start: StartAt): Promise<number[]> {
    switch (start.kind) {
      case 'all':
        return this.earliest();
      case 'new':
        return this.latest();
      case 'last':
        return this.#fromLast();
      case 'sequence': {
        const [first, end] = await Promise.all([this.earliest(), this.latest()]);
        // In every partition: offsets are counted in each of them.
        return first.map((offset, partition) => Math.min(Math.max(offset, start.sequence), Math.max(offset, end[partition]!)));
      }
      case 'time': {
        const [found, end] = await Promise.all([this.#list(BigInt(Math.max(0, start.time.getTime()))), this.latest()]);
        return found.map((offset, partition) => (offset < 0 ? end[partition]! : offset)); // -1: nothing is that young.
      }
    }
  }

  /** The newest record of all partitions that matches, or null. */
  async newest(): Promise<FetchedRecord | null> {
    const [first, end] = await Promise.all([this.earliest(), this.latest()]);
    let newest: FetchedRecord | null = null;
    for (let partition = 0; partition < end.length; partition++) {
      const record = await this.#lastIn(partition, first[partition]!, end[partition]!);
      if (record !== null && (newest === null || record.timeMs >= newest.timeMs)) newest = record;
    }
    return newest;
  }

  /** Highest offset of a record that matches. */
  async highest(): Promise<number> {
    const [first, end] = await Promise.all([this.earliest(), this.latest()]);
    const found = await Promise.all(end.map((behind, partition) => this.#lastIn(partition, first[partition]!, behind)));
    return found.reduce((highest, record) => Math.max(highest, record?.offset ?? 0), 0);
  }

  async #fromLast(): Promise<number[]> {
    const [end, newest] = await Promise.all([this.latest(), this.newest()]);
    if (newest !== null) end[newest.partition] = Math.min(end[newest.partition]!, newest.offset);
    return end;
  }

  async #list(timestamp: bigint): Promise<number[]> {
    const listed = await this.#consumer.listOffsets({ topics: [this.#topic], timestamp });
    return (listed.get(this.#topic) ?? []).map(Number);
  }

  /** Backwards in growing steps, each read forwards. */
  async #lastIn(partition: number, first: number, end: number): Promise<FetchedRecord | null> {
    let step = SCAN_STEP;
    for (let to = end; to > first; step *= 2) {
      const from = Math.max(first, to - step);
      const record = await this.#lastBetween(partition, from, to);
      if (record !== null) return record;
      to = from;
    }
    return null;
  }

  async #lastBetween(partition: number, from: number, to: number): Promise<FetchedRecord | null> {
    let last: FetchedRecord | null = null;
    for (let at = from; at < to;) {
      const options = fetchOptions(this.#layout, [{ partition, offset: at }], { maxWaitMs: 0 });
      const response = await this.#consumer.fetch({ ...options, isolationLevel: this.#library.FetchIsolationLevels.READ_COMMITTED });
      const [read] = recordsOf(response, this.#topic, () => at);
      if (read === undefined || read.next <= at) return last; // Removed by retention in the meantime.
      for (const record of read.records) if (record.offset < to && this.#matches(record.subject)) last = record;
      at = read.next;
    }
    return last;
  }
}
