/**
 * Reads one topic, alone or as a member of a group. A group's committed position never passes a record that is not settled; records go to
 * the receiver in the order of their partition, at most `maxInFlight` unsettled, and nothing is fetched that nobody has room for.
 */
import type { MillraceError } from '../../api/errors.ts';
import type { SubjectFilter } from '../../api/subject-filter.ts';
import type { BrokerReader, ConsumeRequest, MessageReceiver } from '../broker.ts';
import { Committer } from './committer.ts';
import type { FetcherRequest } from './fetcher.ts';
import { Fetcher } from './fetcher.ts';
import type { FetchedRecord } from './inbound-message.ts';
import { ReceivedMessage } from './inbound-message.ts';
import type { Consumer, KafkaLibrary } from './kafka-library.ts';
import { Member } from './member.ts';
import { Offsets } from './offsets.ts';
import type { Place } from './position.ts';
import { PartitionPosition } from './position.ts';
import { PresentEnd } from './present-end.ts';
import type { PartitionRecords } from './records-of.ts';
import type { TopicLayout } from './topic-setup.ts';

export interface ReaderRequest {
  readonly library: KafkaLibrary;
  readonly topic: string;
  readonly layout: TopicLayout;
  readonly request: ConsumeRequest;
  readonly matches: SubjectFilter;
  readonly receiver: MessageReceiver;
  /** `null` = not a member of any group. */
  readonly makeConsumer: (group: string | null) => Consumer;
  readonly fetching: Pick<FetcherRequest, 'look' | 'reconnect' | 'reconnectTimeoutMs'>;
  readonly warn: (message: string) => void;
}

/** Fetched and not handed over: enough to keep the next request going while this is worked on. */
const WAITING_BYTES_MAX = 4_194_304;

interface Waiting {
  readonly position: PartitionPosition;
  readonly read: PartitionRecords;
  at: number;
}

export class KafkaReader implements BrokerReader {
  readonly #options: ReaderRequest;
  readonly #fetcher: Fetcher;
  readonly #member: Member | null;
  readonly #committer: Committer;
  readonly #message = new ReceivedMessage();
  #positions = new Map<number, PartitionPosition>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #inHand = 0;
  #end: PresentEnd | null = null;
  #paused = false;
  #draining = false;
  #closed = false;
  #assignment = 0;
  #closing: (() => void) | null = null;

  constructor(options: ReaderRequest) {
    const { library, topic, layout, request, makeConsumer, fetching } = options;
    const group = request.durable === '' ? request.queue : request.durable;
    const ended = (error: MillraceError): void => this.#finishWith(error);
    this.#options = options;
    const hungry = (): boolean =>
      !this.#paused && !this.#closed && this.#waitingBytes < WAITING_BYTES_MAX && this.#inHand < request.maxInFlight;
    const jumped = (position: PartitionPosition, offset: number): void => this.#jumped(position, offset);
    const fetched = (position: PartitionPosition, read: PartitionRecords): void => this.#fetched(position, read);
    this.#fetcher = new Fetcher(
      { library, topic, makeConsumer: () => makeConsumer(null), ...fetching, hungry, fetched, jumped, ended },
      layout,
    );
    const leaving = (): void => void this.#committer.commit();
    const assigned = (partitions: readonly number[]): Promise<void> => this.#assigned(partitions);
    this.#member = group === '' ? null : new Member({ topic, makeConsumer: () => makeConsumer(group), leaving, assigned, ended });
    this.#committer = new Committer(this.#member, () => this.#positions.values());
  }

  async open(): Promise<void> {
    try {
      if (this.#member !== null) {
        await this.#member.open();
        return this.#committer.start();
      }
      const offsets = this.#offsets();
      if (this.#options.request.toPresent === true) this.#end = new PresentEnd(await offsets.latest());
      const start = await offsets.start(this.#options.request.start);
      this.#positions = new Map(start.map((offset, partition) => [partition, new PartitionPosition(partition, offset, -1)]));
      this.#fetcher.assign([...this.#positions.values()]);
      setImmediate(() => this.#checkEnd()); // There may be nothing to read.
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  onClose(callback: () => void): void {
    this.#closing = callback;
  }

  ack(handle: unknown): void {
    const place = handle as Place;
    const { position } = place;
    if (position.revoked || !position.settle(place)) return;
    this.#inHand--;
    this.#drain();
  }

  /** Kafka brings nothing again by itself: the record stays in hand, and the committed position waits for it. */
  nak(): void {}

  term(handle: unknown): void {
    this.ack(handle);
  }

  /** There is nothing to extend: the position just waits. */
  working(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  /** Resolves when the positions of all acks given are committed, or cannot be. */
  async flush(): Promise<void> {
    if (!(await this.#committer.commit())) await this.#committer.commit();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#committer.stop();
    this.#closed = true;
    this.#waiting = [];
    await Promise.all([this.#member?.close(), this.#fetcher.close()]);
    this.#closing?.();
  }

  #offsets(): Offsets {
    const { library, topic, layout, matches } = this.#options;
    return new Offsets(library, this.#fetcher.consumer, { topic, layout, matches });
  }

  #fetched(position: PartitionPosition, read: PartitionRecords): void {
    this.#waiting.push({ position, read, at: 0 });
    this.#waitingBytes += read.bytes;
    // After this turn, so that the next request is on its way while these are worked on.
    queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    if (this.#draining) return; // Called by the receiver: the loop below goes on.
    this.#draining = true;
    while (this.#waiting.length > 0 && this.#mayHand) {
      const first = this.#waiting[0]!;
      const record = first.position.revoked ? undefined : first.read.records[first.at++];
      if (record !== undefined) this.#hand(first.position, record);
      else this.#finish(first);
    }
    this.#draining = false;
    this.#checkEnd();
    if (!this.#closed) this.#fetcher.kick();
  }

  #checkEnd(): void {
    if (this.#end?.reachedBy(this.#positions.values()) === true) this.#finishWith(null);
  }

  get #mayHand(): boolean {
    return !this.#paused && !this.#closed && this.#inHand < this.#options.request.maxInFlight;
  }

  #finish({ position, read }: Waiting): void {
    this.#waiting.shift();
    this.#waitingBytes -= read.bytes;
    position.skipTo(read.next);
  }

  #hand(position: PartitionPosition, record: FetchedRecord): void {
    const { matches, request, receiver } = this.#options;
    if (this.#end?.isLater(record.partition, record.offset) === true || !matches(record.subject)) return position.skipTo(record.offset + 1);
    const place = position.take(record.offset);
    if (request.noAck) position.settle(place);
    else this.#inHand++;
    this.#message.take(record, place);
    receiver.message(this.#message);
    this.#message.drop();
  }

  #jumped(position: PartitionPosition, offset: number): void {
    const { topic, warn } = this.#options;
    if (offset > position.next)
      warn(`topic ${topic}, partition ${position.partition}: offsets ${position.next} to ${offset - 1} were removed before they were read`);
    position.next = offset;
  }

  /** The group has given us these; those that stay ours keep what is in hand. */
  async #assigned(partitions: readonly number[]): Promise<void> {
    const assignment = ++this.#assignment;
    const member = this.#member!;
    const committed = await member.committed(partitions);
    const fresh = partitions.some((partition) => (committed.get(partition) ?? -1) < 0);
    const start = fresh ? await this.#offsets().start(this.#options.request.start) : [];
    if (assignment !== this.#assignment || this.#closed) return; // Overtaken by the next.
    const positions = new Map<number, PartitionPosition>();
    for (const partition of partitions) {
      const known = this.#positions.get(partition);
      const offset = committed.get(partition) ?? -1;
      // Further than we left it: somebody else has had it in between.
      const keep = known !== undefined && known.committed >= offset;
      positions.set(partition, keep ? known : new PartitionPosition(partition, offset < 0 ? start[partition]! : offset, offset));
    }
    for (const [partition, position] of this.#positions) {
      if (positions.get(partition) === position) continue;
      position.revoked = true;
      this.#inHand -= position.inHand;
    }
    this.#positions = positions;
    this.#fetcher.assign([...positions.values()]);
    // A start like "new" is decided once: the position is kept from now on, also if nothing is ever acked.
    if (fresh) await this.#committer.commit();
    this.#drain();
  }

  #finishWith(error: MillraceError | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#committer.stop();
    void Promise.all([this.#member?.close(), this.#fetcher.close()]);
    this.#closing?.();
    this.#options.receiver.ended(error);
  }
}
