/**
 * Membership in a consumer group that heals: whenever the library stops its heartbeats (a lost connection does that for good, without
 * a word), a new member takes the place of the old one.
 */
import { MillraceError, messageOf } from '../../api/errors.ts';
import { closeConsumer } from './fetcher.ts';
import type { Consumer } from './kafka-library.ts';
import { has } from './topic-setup.ts';

export const SESSION_MS: number = 15_000;
export const REBALANCE_MS: number = 15_000;
export const HEARTBEAT_MS: number = 1_000;
/** A join is answered when all members have joined. */
export const MEMBER_REQUEST_MS: number = REBALANCE_MS + 5_000;

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;
const JOIN_MS_MAX = 45_000;

export interface MemberRequest {
  readonly topic: string;
  readonly makeConsumer: () => Consumer;
  /** The group shares its partitions out anew: commit what can be. */
  readonly leaving: () => void;
  /** These partitions are ours now. */
  readonly assigned: (partitions: readonly number[]) => Promise<void>;
  readonly ended: (error: MillraceError) => void;
}

export interface Commit {
  readonly partition: number;
  readonly offset: number;
}

export class Member {
  readonly #request: MemberRequest;
  #consumer: Consumer | null = null;
  #rebuilding = false;
  #closed = false;

  constructor(request: MemberRequest) {
    this.#request = request;
  }

  /** Resolves when partitions are assigned, or when the group has none left for us. */
  async open(): Promise<void> {
    const endMs = performance.now() + JOIN_MS_MAX;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#join();
      } catch (error) {
        if (refused(error) || performance.now() > endMs || this.#closed) throw joinError(error);
        // For one, the broker is just making its offsets topic.
        await pause(attempt);
      }
    }
  }

  async committed(partitions: readonly number[]): Promise<Map<number, number>> {
    const { topic } = this.#request;
    const listed = await this.#live().listCommittedOffsets({ topics: [{ topic, partitions: [...partitions] }] });
    const offsets = listed.get(topic) ?? [];
    return new Map(partitions.map((partition) => [partition, Number(offsets[partition] ?? -1n)]));
  }

  async commit(commits: readonly Commit[]): Promise<void> {
    const { topic } = this.#request;
    const offsets = commits.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset), leaderEpoch: -1 }));
    await this.#live().commit({ offsets });
  }

  /** The membership is in doubt. */
  rebuild(): void {
    if (!this.#rebuilding && !this.#closed) void this.#rebuild();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const consumer = this.#consumer;
    this.#consumer = null;
    if (consumer !== null) await closeConsumer(consumer); // Leaves the group: the others need not wait for the session's end.
  }

  #live(): Consumer {
    if (this.#consumer === null)
      throw new MillraceError('MILLRACE_CONNECTION_LOST', 'not a member of the group just now', { retryable: true });
    return this.#consumer;
  }

  async #join(): Promise<void> {
    const consumer = this.#request.makeConsumer();
    const current = (): boolean => this.#consumer === consumer && !this.#closed;
    consumer.topics.track(this.#request.topic);
    consumer.on('error' as never, (() => current() && this.rebuild()) as never);
    consumer.on('consumer:heartbeat:error', () => current() && this.rebuild());
    consumer.on('consumer:group:rebalance', () => current() && this.#request.leaving());
    // Later joins, when the group changes; the first is awaited below.
    consumer.on('consumer:group:join', () => {
      if (current()) this.#request.assigned(this.#partitionsOf(consumer)).catch(() => current() && this.rebuild());
    });
    try {
      await consumer.joinGroup({});
      if (this.#closed) throw new MillraceError('MILLRACE_CLOSED', 'closed while it was joining the group');
      this.#consumer = consumer;
      await this.#request.assigned(this.#partitionsOf(consumer));
    } catch (error) {
      if (this.#consumer === consumer) this.#consumer = null;
      void closeConsumer(consumer);
      throw error;
    }
  }

  #partitionsOf(consumer: Consumer): number[] {
    return (consumer.assignments ?? []).filter(({ topic }) => topic === this.#request.topic).flatMap(({ partitions }) => partitions);
  }

  async #rebuild(): Promise<void> {
    this.#rebuilding = true;
    const old = this.#consumer;
    this.#consumer = null;
    if (old !== null) void closeConsumer(old);
    let joined = false;
    for (let attempt = 0; !joined && !this.#closed; attempt++) {
      await pause(attempt);
      joined = this.#closed || (await this.#tryJoin());
    }
    this.#rebuilding = false;
  }

  /** False: worth another attempt. */
  async #tryJoin(): Promise<boolean> {
    try {
      await this.#join();
      return true;
    } catch (error) {
      if (!refused(error)) return false;
      this.#request.ended(joinError(error));
      return true;
    }
  }
}

const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) =>
    setTimeout(resolve, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(8, attempt)) * (0.5 + Math.random() / 2)),
  );

const refused = (error: unknown): boolean =>
  [
    'GROUP_AUTHORIZATION_FAILED',
    'TOPIC_AUTHORIZATION_FAILED',
    'INVALID_GROUP_ID',
    'INCONSISTENT_GROUP_PROTOCOL',
    'INVALID_SESSION_TIMEOUT',
    'GROUP_MAX_SIZE_REACHED',
  ].some((id) => has(error, id));

function joinError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const denied = has(error, 'GROUP_AUTHORIZATION_FAILED') || has(error, 'TOPIC_AUTHORIZATION_FAILED');
  const { errors } = error as { readonly errors?: readonly Error[] };
  return new MillraceError(
    denied ? 'MILLRACE_AUTH' : 'MILLRACE_BROKER',
    `cannot join the consumer group: ${messageOf(errors?.[0] ?? error)}`,
    {
      retryable: !refused(error),
      cause: error,
      context: { processor: 'kafka' },
    },
  );
}
