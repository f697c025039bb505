/** Fetches from the assigned partitions, one request per broker at a time, and goes on through lost connections and new leaders. */
import { MillraceError } from '../../api/errors.ts';
import type { Consumer, KafkaLibrary } from './kafka-library.ts';
import type { PartitionPosition } from './position.ts';
import { refusalOf } from './publish-errors.ts';
import type { FetchResponse, PartitionRecords } from './records-of.ts';
import { fetchOptions, recordsOf } from './records-of.ts';
import type { TopicLayout } from './topic-setup.ts';

export interface FetcherRequest {
  readonly library: KafkaLibrary;
  readonly topic: string;
  readonly makeConsumer: () => Consumer;
  readonly look: () => Promise<TopicLayout>;
  readonly reconnect: boolean;
  readonly reconnectTimeoutMs: number;
  /** May more be fetched? */
  readonly hungry: () => boolean;
  readonly fetched: (position: PartitionPosition, read: PartitionRecords) => void;
  /** The partition's next record was removed by retention; reading goes on at `offset`. */
  readonly jumped: (position: PartitionPosition, offset: number) => void;
  readonly ended: (error: MillraceError) => void;
}

const WAIT_MS_MAX = 500;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;
const OUT_OF_RANGE = 1;
/** Looks that find no topic before the read ends: one that is just being made again has time. */
const MISSING_MAX = 5;

export class Fetcher {
  readonly #request: FetcherRequest;
  #consumer: Consumer;
  #layout: TopicLayout;
  /** Where the next request of each position goes on: ahead of the position, by what waits to be handed over. */
  #ahead = new Map<PartitionPosition, number>();
  readonly #busy = new Set<number>();
  #failingSinceMs = 0;
  #missing = 0;
  #recovering = false;
  #closed = false;

  constructor(request: FetcherRequest, layout: TopicLayout) {
    this.#request = request;
    this.#layout = layout;
    this.#consumer = request.makeConsumer();
  }

  get consumer(): Consumer {
    return this.#consumer;
  }

  /** Replaces the partitions; positions that stay keep what was fetched for them. */
  assign(positions: readonly PartitionPosition[]): void {
    this.#ahead = new Map(positions.map((position) => [position, this.#ahead.get(position) ?? position.next]));
    this.kick();
  }

  /** Asks every broker that is not asked already. */
  kick(): void {
    if (this.#closed || this.#recovering || !this.#request.hungry()) return;
    const byLeader = new Map<number, PartitionPosition[]>();
    for (const position of this.#ahead.keys()) {
      const leader = this.#layout.leaders[position.partition] ?? -1;
      if (leader < 0) return void this.#recover(null);
      if (!this.#busy.has(leader)) byLeader.set(leader, [...(byLeader.get(leader) ?? []), position]);
    }
    for (const [leader, positions] of byLeader) void this.#fetch(leader, positions);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await closeConsumer(this.#consumer);
  }

  async #fetch(leader: number, positions: readonly PartitionPosition[]): Promise<void> {
    this.#busy.add(leader);
    const consumer = this.#consumer;
    const froms = positions.map((position) => ({ partition: position.partition, offset: this.#ahead.get(position)! }));
    try {
      const options = fetchOptions(this.#layout, froms, { maxWaitMs: WAIT_MS_MAX });
      const response = await consumer.fetch({ ...options, isolationLevel: this.#request.library.FetchIsolationLevels.READ_COMMITTED });
      this.#busy.delete(leader);
      this.#failingSinceMs = 0;
      this.#missing = 0;
      this.#take(response, positions);
    } catch (error) {
      this.#busy.delete(leader);
      if (!this.#closed) await this.#recover(error, positions);
    }
  }

  #take(response: FetchResponse, positions: readonly PartitionPosition[]): void {
    const byPartition = new Map(positions.map((position) => [position.partition, position]));
    const read = recordsOf(
      response,
      this.#request.topic,
      (partition) => this.#ahead.get(byPartition.get(partition)!) ?? Number.MAX_SAFE_INTEGER,
    );
    // Unassigned in the meantime: somebody else reads it.
    const wanted = read.filter(({ partition }) => this.#ahead.has(byPartition.get(partition)!));
    for (const { partition, next } of wanted) this.#ahead.set(byPartition.get(partition)!, next);
    for (const each of wanted) this.#request.fetched(byPartition.get(each.partition)!, each);
    this.kick();
  }

  /** Waits a little, looks at the topic again, and goes on; ends the read when that cannot help. */
  async #recover(error: unknown, positions: readonly PartitionPosition[] = []): Promise<void> {
    if (this.#recovering || this.#closed) return;
    this.#recovering = true;
    const nowMs = performance.now();
    this.#failingSinceMs ||= nowMs;
    try {
      const outside = partitionsOutside(error);
      if (outside.length > 0) return await this.#jump(positions.filter(({ partition }) => outside.includes(partition)));
      const overdue = this.#request.reconnectTimeoutMs > 0 && nowMs - this.#failingSinceMs > this.#request.reconnectTimeoutMs;
      if (error !== null && (overdue || !this.#request.reconnect)) return this.#end(lostError(error));
      await new Promise((resolve) =>
        setTimeout(resolve, RETRY_MS_MIN + Math.random() * Math.min(RETRY_MS_MAX, nowMs - this.#failingSinceMs)),
      );
      if (this.#closed) return;
      // After a timeout the library's connection is unusable; after any other fault a new one costs little.
      if (error !== null) await this.#renew();
      this.#layout = await this.#request.look();
    } catch (fault) {
      if (
        fault instanceof MillraceError &&
        !fault.retryable &&
        (fault.code !== 'MILLRACE_STREAM_MISSING' || ++this.#missing >= MISSING_MAX)
      )
        this.#end(fault);
    } finally {
      this.#recovering = false;
      setTimeout(() => this.kick(), RETRY_MS_MIN);
    }
  }

  async #renew(): Promise<void> {
    const old = this.#consumer;
    this.#consumer = this.#request.makeConsumer();
    this.#busy.clear();
    void closeConsumer(old);
  }

  /** Retention has removed what was to come next, or the topic was made anew: on to what is there. */
  async #jump(positions: readonly PartitionPosition[]): Promise<void> {
    const { library, topic, jumped } = this.#request;
    const first =
      (await this.#consumer.listOffsets({ topics: [topic], timestamp: library.ListOffsetTimestamps.EARLIEST })).get(topic) ?? [];
    const end = (await this.#consumer.listOffsets({ topics: [topic], timestamp: library.ListOffsetTimestamps.LATEST })).get(topic) ?? [];
    for (const position of positions) {
      const ahead = this.#ahead.get(position);
      if (ahead === undefined) continue;
      const earliest = Number(first[position.partition] ?? 0n);
      const offset = ahead < earliest ? earliest : Math.min(ahead, Number(end[position.partition] ?? 0n));
      this.#ahead.set(position, offset);
      jumped(position, offset);
    }
  }

  #end(error: MillraceError): void {
    this.#closed = true;
    this.#request.ended(error);
  }
}

/** Bounded: the library waits for what a dead peer will never take. */
const CLOSE_MS_MAX = 2_000;

export async function closeConsumer(consumer: Consumer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS_MAX)));
  await Promise.race([Promise.resolve(consumer.close(true)).catch(() => undefined), late]);
  clearTimeout(timer);
}

function partitionsOutside(error: unknown): number[] {
  const { response } = (error ?? {}) as { readonly response?: FetchResponse };
  const partitions = (response?.responses ?? []).flatMap((topic) => topic.partitions);
  return partitions.filter(({ errorCode }) => errorCode === OUT_OF_RANGE).map(({ partitionIndex }) => partitionIndex);
}

function lostError(error: unknown): MillraceError {
  const message = `the connection was lost and is not being restored: ${refusalOf(error).text}`;
  return new MillraceError('MILLRACE_CONNECTION_LOST', message, { cause: error, context: { processor: 'kafka' } });
}
