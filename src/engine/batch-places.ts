/**
 * Finds the records of the source that the events of a batch were made of, so that a part of the batch can claim exactly its own stretch.
 * The bytes of the records are still in the slab: each is encoded again and compared, in order. Equal bytes mean an equal event and so an
 * equal subject, unless user code made the event: then nothing is said.
 */
import type { Ticket } from './ticket.ts';
import { createEncoder } from '../codec/encoders.ts';
import { createSplitter } from '../codec/splitter.ts';
import { SlabForm, SlabWord } from '../memory/layout.ts';
import { readPipeline } from '../memory/pipeline.ts';
import type { Ring } from '../memory/ring.ts';

/** An encoder asks for more room than it uses in the end. */
const SLACK_BYTES = 4_096;

export interface BatchEvents {
  readonly payload: Uint8Array;
  /** Offsets in the payload where the events begin, and of their end. */
  readonly bounds: readonly number[];
  /** The last record that has an event in it, counted in the slab. */
  readonly lastRecord: number;
  readonly firstRecord: number;
}

/** Where an event's record lies in the source. */
export interface EventPlace {
  readonly from: number;
  readonly to: number;
}

/** One place for each event, or null when they cannot be told for certain. */
export function placesOf(ring: Ring, { slab }: Ticket, { payload, bounds, firstRecord, lastRecord }: BatchEvents): EventPlace[] | null {
  const { format, csvHeader, transform, schema } = readPipeline(ring, ring.get(slab, SlabWord.pipeline));
  if (transform !== null || schema !== null || ring.get(slab, SlabWord.form) !== SlabForm.bytes) return null;
  const count = bounds.length - 1;
  const largest = bounds.reduce((most, bound, index) => Math.max(most, bound - (bounds[index - 1] ?? bound)), 0);
  const encoder = createEncoder(format, [], { csvHeader: csvHeader ?? [] });
  const splitter = createSplitter(format);
  const again = Buffer.alloc(2 * largest + SLACK_BYTES);
  const inStart = ring.start(slab) + ring.shape(slab).inStart;
  const inEnd = inStart + ring.get(slab, SlabWord.inBytes);
  const offset = ring.offset(slab) - inStart;
  const places: EventPlace[] = [];
  let at = inStart + ring.get(slab, SlabWord.inFrom);
  for (let record = ring.get(slab, SlabWord.recordFrom); record <= lastRecord && places.length < count; record += 1) {
    at = splitter.next(ring.bytes, at, inEnd);
    if (at < 0) return null;
    if (record < firstRecord) continue;
    const end = encoder.encode(ring.bytes, splitter.recordStart, splitter.recordEnd, again, 0, again.length);
    if (end < 0 || again.compare(payload, bounds[places.length], bounds[places.length + 1], 0, end) !== 0) continue;
    places.push({ from: offset + splitter.recordStart, to: offset + splitter.recordEnd });
  }
  return places.length === count ? places : null;
}
