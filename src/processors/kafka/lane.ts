/**
 * One partition: exactly one request in flight, because the library gives out sequence numbers only with the answer (with more, acked
 * records were lost). What comes in the meantime goes together into the next request.
 */
import type { MillraceError } from '../../api/errors.ts';
import type { PublishListener } from '../broker.ts';
import type { ProducerHold, Producers } from './producers.ts';
import type { RefusalRow } from './publish-errors.ts';
import { deadlineError, refusalError, refusalOf } from './publish-errors.ts';
import type { OutboundRecord } from './record.ts';

export interface LaneSettings {
  readonly topic: string;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly timeoutMs: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Of one request to one partition. */
  readonly bytesMax: () => number;
}

export interface LaneListener extends Pick<PublishListener, 'acked' | 'failed' | 'unknown'> {
  /** Credit of one record comes back, before its outcome is told; `unread` = the library reads it no more. */
  released(record: OutboundRecord, unread: boolean): void;
  reachable(yes: boolean, reason: RefusalRow | null): void;
  settled(): void;
}

const RECORDS_MAX = 10_000;
/** The wire's sequence is 31 bits, and the library does not wrap it. */
const SEQUENCE_MAX = 2_000_000_000;
const ACKS_ALL = -1;

interface Flight {
  readonly records: readonly OutboundRecord[];
  hold: ProducerHold;
  readonly deadline: NodeJS.Timeout;
  attempts: number;
  /** An attempt may have been stored. */
  doubt: boolean;
  /** A request is out, so its answer may still come. */
  asking: boolean;
  last: RefusalRow | null;
}

export class Lane {
  readonly #partition: number;
  readonly #producers: Producers;
  readonly #settings: LaneSettings;
  readonly #listener: LaneListener;
  #queue: OutboundRecord[] = [];
  #flight: Flight | null = null;
  #backoff: NodeJS.Timeout | undefined;
  #scheduled = false;
  /** Smaller after a request that was too large as a whole. */
  #recordsMax = RECORDS_MAX;
  #sequenced = { hold: null as ProducerHold | null, records: 0 };

  constructor(partition: number, producers: Producers, settings: LaneSettings, listener: LaneListener) {
    this.#partition = partition;
    this.#producers = producers;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Leaves at the end of this turn, together with what else was pushed in it. */
  push(record: OutboundRecord): void {
    this.#queue.push(record);
    if (this.#flight !== null || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#next();
    });
  }

  /** What is in flight may be stored, what is queued is not; both get their outcome. */
  close(errorOf: (record: OutboundRecord, doubt: boolean) => MillraceError): void {
    const flight = this.#flight;
    const queued = this.#queue;
    this.#queue = [];
    if (flight !== null) {
      const doubt = flight.doubt || flight.asking;
      this.#end(flight, (record) => this.#listener[doubt ? 'unknown' : 'failed'](record.token, errorOf(record, doubt)));
    }
    for (const record of queued) {
      this.#listener.released(record, true);
      this.#listener.failed(record.token, errorOf(record, false));
    }
  }

  #next(): void {
    if (this.#flight !== null || this.#queue.length === 0) return;
    const records = this.#take();
    const hold = this.#hold(records.length);
    const deadline = setTimeout(() => this.#late(), this.#settings.timeoutMs);
    this.#flight = { records, hold, deadline, attempts: 0, doubt: false, asking: false, last: null };
    this.#attempt(this.#flight);
  }

  #take(): OutboundRecord[] {
    const bytesMax = this.#settings.bytesMax();
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && count < this.#recordsMax) {
      bytes += this.#queue[count]!.bytes;
      if (count > 0 && bytes > bytesMax) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #hold(records: number): ProducerHold {
    let hold = this.#producers.take();
    if (this.#sequenced.hold !== hold) this.#sequenced = { hold, records: 0 };
    else if (this.#sequenced.records + records > SEQUENCE_MAX) {
      this.#producers.retire(hold);
      this.#producers.give(hold);
      hold = this.#producers.take();
      this.#sequenced = { hold, records: 0 };
    }
    this.#sequenced.records += records;
    return hold;
  }

  #attempt(flight: Flight): void {
    const { topic, compression } = this.#settings;
    const messages = flight.records.map(({ key, value, headers, timestamp }) => ({
      topic,
      partition: this.#partition,
      key,
      value,
      headers,
      timestamp,
    }));
    flight.attempts++;
    flight.asking = true;
    flight.hold.producer.send({ messages, idempotent: true, acks: ACKS_ALL, compression }, (error, result) => {
      if (this.#flight !== flight) return; // Its outcome was told: too late.
      flight.asking = false;
      if (error === null || error === undefined) this.#acked(flight, Number(result?.offsets?.[0]?.offset ?? -1n));
      else this.#refused(flight, error);
    });
  }

  /** The records of one request lie side by side; -1: the broker did not say where. */
  #acked(flight: Flight, offset: number): void {
    this.#listener.reachable(true, null);
    let next = offset;
    this.#end(flight, (record) => this.#listener.acked(record.token, offset < 0 ? 0 : next++, false));
    this.#next();
  }

  #refused(flight: Flight, error: Error): void {
    const refusal = refusalOf(error);
    flight.last = refusal;
    flight.doubt ||= refusal.doubt;
    this.#listener.reachable(refusal.code !== 'MILLRACE_CONNECT' && refusal.code !== 'MILLRACE_PUBLISH_UNKNOWN', refusal);
    if (refusal.step === 'stored') return this.#acked(flight, -1);
    if (refusal.step === 'again') return this.#later(flight);
    if (refusal.step === 'renew' && !flight.doubt) return this.#renew(flight);
    if (refusal.step === 'split' && !flight.doubt && flight.records.length > 1) return this.#split(flight);
    const { doubt } = flight;
    if (doubt || refusal.step === 'renew') this.#producers.retire(flight.hold);
    this.#end(flight, (record) =>
      this.#listener[doubt ? 'unknown' : 'failed'](record.token, refusalError(refusal, this.#place(record), { doubt, cause: error })),
    );
    this.#next();
  }

  /** The same records on the same producer carry the same sequence: if the first copy was stored, the broker drops the second. */
  #later(flight: Flight): void {
    const { backoffMs, backoffMaxMs } = this.#settings;
    const delayMs = Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(16, flight.attempts - 1)) * (0.5 + Math.random() / 2);
    this.#backoff = setTimeout(() => this.#attempt(flight), delayMs);
  }

  /** Certainly not stored, so another producer may send them. */
  #renew(flight: Flight): void {
    this.#producers.retire(flight.hold);
    this.#producers.give(flight.hold);
    flight.hold = this.#hold(flight.records.length);
    this.#later(flight);
  }

  #split(flight: Flight): void {
    const { records } = flight;
    clearTimeout(flight.deadline);
    this.#flight = null;
    this.#producers.give(flight.hold);
    this.#recordsMax = Math.max(1, Math.floor(records.length / 2));
    this.#queue.unshift(...records);
    this.#next();
  }

  #late(): void {
    const flight = this.#flight;
    if (flight === null) return;
    const doubt = flight.doubt || flight.asking;
    // The late answer would advance a sequence that nobody waits for any more.
    if (doubt) this.#producers.retire(flight.hold);
    const { timeoutMs } = this.#settings;
    this.#end(flight, (record) =>
      this.#listener[doubt ? 'unknown' : 'failed'](record.token, deadlineError(this.#place(record), timeoutMs, flight.last, doubt)),
    );
    this.#next();
  }

  /** All credit comes back before the first outcome is told: a listener may publish at once. */
  #end(flight: Flight, tell: (record: OutboundRecord) => void): void {
    clearTimeout(flight.deadline);
    clearTimeout(this.#backoff);
    this.#flight = null;
    this.#producers.give(flight.hold);
    // After a refusal the request may still be on its way, to a broker that is gone for us.
    const unread = flight.last === null && !flight.asking;
    for (const record of flight.records) this.#listener.released(record, unread);
    // Held back, so that what a listener pushes waits for its turn behind this loop.
    this.#scheduled = true;
    for (const record of flight.records) tell(record);
    this.#scheduled = false;
    this.#listener.settled();
  }

  #place({ subject }: OutboundRecord): { readonly subject: string; readonly stream: string; readonly partition: number } {
    return { subject, stream: this.#settings.topic, partition: this.#partition };
  }
}
