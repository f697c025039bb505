/** Turns fetch answers into records, without those before the offset asked for and without control records, and builds the requests. */
import type { FetchedRecord } from './inbound-message.ts';
import { subjectOf } from './inbound-message.ts';
import type { Consumer } from './kafka-library.ts';
import type { TopicLayout } from './topic-setup.ts';

type FetchOptions = Parameters<Consumer['fetch']>[0];
export type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

const PARTITION_BYTES_MAX = 1_048_576;
const RESPONSE_BYTES_MAX = 4_194_304;
const CONTROL = 1 << 5;
const EPOCH_UNKNOWN = -1;

export interface FetchFrom {
  readonly partition: number;
  readonly offset: number;
}

/** All of `froms` have the same leader. */
export function fetchOptions(
  layout: TopicLayout,
  froms: readonly FetchFrom[],
  { maxWaitMs }: { readonly maxWaitMs: number },
): FetchOptions {
  const partitions = froms.map(({ partition, offset }) => ({
    partition,
    fetchOffset: BigInt(offset),
    partitionMaxBytes: PARTITION_BYTES_MAX,
    currentLeaderEpoch: EPOCH_UNKNOWN,
    lastFetchedEpoch: EPOCH_UNKNOWN,
  }));
  return {
    node: layout.leaders[froms[0]!.partition]!,
    minBytes: 1,
    maxBytes: RESPONSE_BYTES_MAX,
    maxWaitTime: maxWaitMs,
    topics: [{ topicId: layout.id, partitions }],
  };
}

export interface PartitionRecords {
  readonly partition: number;
  readonly records: FetchedRecord[];
  /** Where the next request goes on. */
  readonly next: number;
  readonly bytes: number;
}

export function recordsOf(response: FetchResponse, topic: string, fromOf: (partition: number) => number): PartitionRecords[] {
  const read: PartitionRecords[] = [];
  for (const { partitions } of response.responses) {
    for (const { partitionIndex, records: batches } of partitions) {
      if (batches !== undefined && batches.length > 0) read.push(readBatches(batches, topic, partitionIndex, fromOf(partitionIndex)));
    }
  }
  return read;
}

type Batches = NonNullable<FetchResponse['responses'][number]['partitions'][number]['records']>;

function readBatches(batches: Batches, topic: string, partition: number, from: number): PartitionRecords {
  const records: FetchedRecord[] = [];
  let next = from;
  let bytes = 0;
  for (const batch of batches) {
    const first = Number(batch.firstOffset);
    next = Math.max(next, first + batch.lastOffsetDelta + 1);
    bytes += batch.length;
    if ((batch.attributes & CONTROL) !== 0) continue;
    const firstMs = Number(batch.firstTimestamp);
    for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
      const offset = first + offsetDelta;
      // A batch is stored and sent whole: its head may lie before what was asked for.
      if (offset >= from)
        records.push({
          partition,
          offset,
          timeMs: firstMs + Number(timestampDelta),
          subject: subjectOf(headers, topic),
          key,
          value,
          headers,
        });
    }
  }
  return { partition, records, next, bytes };
}
