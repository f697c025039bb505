/** The stretches of sources that stored batches cover, from their headers alone, and their way to the workers that skip them. */
import { hash128, PUBLIC_KEY } from '../codec/hash.ts';
import { MillraceError } from '../api/errors.ts';
import type { Ring } from '../memory/ring.ts';
import { STORED_RANGES_MAX, StoredRangeTable } from '../memory/stored-ranges.ts';
import type { StoredRange } from '../memory/stored-ranges.ts';
import type { InboundMessage } from '../processors/broker.ts';

const HEADER = /^(\S+) (\d{1,16})-(\d{1,16})$/;

export class StoredRanges {
  readonly #table: StoredRangeTable;
  /** Batches that this process made have ids that begin so: they are not of an earlier run. */
  readonly #own: string;
  /** Source → subject → from, to, from, to … */
  readonly #bySource: Map<string, Map<string, number[]>> = new Map();
  readonly #attached: Map<number, string> = new Map();

  constructor(ring: Ring, nonce: string) {
    this.#table = new StoredRangeTable(ring);
    this.#own = `${nonce}-`;
  }

  take(message: InboundMessage): void {
    const found = HEADER.exec(message.header('Millrace-Source') ?? '');
    if (found === null) return;
    if ((message.header('Millrace-Batch') ?? message.header('Nats-Msg-Id'))?.startsWith(this.#own) === true) return;
    const [, source, from, to] = found;
    let subjects = this.#bySource.get(source!);
    if (subjects === undefined) this.#bySource.set(source!, (subjects = new Map()));
    const ranges = subjects.get(message.subject);
    if (ranges === undefined) subjects.set(message.subject, [Number(from), Number(to)]);
    else ranges.push(Number(from), Number(to));
  }

  /** Before the first slab of a pipeline runs: its workers skip what is stored of its source. */
  attach(slot: number, source: string): void {
    this.#attached.set(slot, source);
    this.#write(slot, source);
  }

  detach(slot: number): void {
    if (this.#attached.delete(slot)) this.#table.write(slot, []);
  }

  /** More were read while pipelines were open; slabs that ran meanwhile run again. */
  refresh(): void {
    for (const [slot, source] of this.#attached) this.#write(slot, source);
  }

  #write(slot: number, source: string): void {
    const rows: StoredRange[] = [];
    for (const [subject, ranges] of this.#bySource.get(source) ?? []) {
      const bytes = Buffer.from(subject);
      const hash = new Uint32Array(4);
      hash128(bytes, 0, bytes.length, PUBLIC_KEY, hash);
      for (const [from, to] of merged(ranges)) rows.push({ hashLow: hash[0]! | 0, hashHigh: hash[1]! | 0, from, to });
    }
    if (this.#table.write(slot, rows)) return;
    const message = `${rows.length} stretches of the source are stored already, more than the ${STORED_RANGES_MAX} that are remembered; go on with a checkpoint, or with an id from a field`;
    throw new MillraceError('MILLRACE_CHECKPOINT', message);
  }
}

/** In order, and those that touch are one. */
export function merged(ranges: readonly number[]): (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges[at]!, ranges[at + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const all: [number, number][] = [];
  for (const pair of pairs) {
    const last = all.at(-1);
    if (last !== undefined && pair[0] <= last[1]) last[1] = Math.max(last[1], pair[1]);
    else all.push(pair);
  }
  return all;
}
