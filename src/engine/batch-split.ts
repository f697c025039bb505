/**
 * Takes a batch that the broker no longer takes (its limit is smaller since a reconnect) apart into batches that fit. Events, bytes and order stay.
 * The id of a part is made of the batch's id and the stretch it holds, so that equal ids still mean equal events. Where the batch tells its
 * stretch of the source, each part tells its own: after a restart a part that was stored is known to be.
 */
import { placesOf } from './batch-places.ts';
import type { EventPlace } from './batch-places.ts';
import type { Parts } from './parts.ts';
import type { Ticket } from './ticket.ts';
import { skipValue } from '../codec/msgpack-scan.ts';
import { BATCH_WORDS, BatchWord, CLAIM_WORDS, SlabWord, TRAIL_BYTES } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

const ARRAY32_HEAD_BYTES = 5;

interface Part {
  /** First event, and how many. */
  readonly from: number;
  readonly count: number;
  readonly head: Buffer;
  readonly start: number; // Of its elements, from the start of the payload.
  readonly end: number;
}

/** The numbers of the new batches in publish order; empty = it cannot be taken apart. Nothing has changed then. */
export function splitBatch({ ring, broker }: Parts, ticket: Ticket, batch: number): number[] {
  const rows = (ring.start(ticket.slab) + ring.shape(ticket.slab).batchStart) / 4;
  const row = rows + batch * BATCH_WORDS;
  const head = headersOf(ring, row);
  const payload = ring.bytes.slice(ring.words[row + BatchWord.payloadStart]! >>> 0, ring.words[row + BatchWord.end]! >>> 0);
  const count = ring.words[row + BatchWord.count]!;
  const bounds = elementBounds(payload, count);
  const owners = ownersOf(ring, ticket, { batch, row, count });
  if (bounds === null || owners === null || !head.includes('\r\nMillrace-Count: ')) return [];
  const places = SOURCE.test(head)
    ? placesOf(ring, ticket, {
        payload,
        bounds,
        firstRecord: ring.words[row + BatchWord.firstRecord]!,
        lastRecord: ring.words[row + BatchWord.lastRecord]!,
      })
    : null;
  const parts = partsOf({ head, bounds, places }, broker.limits().messageBytesMax);
  const first = ticket.batches + ticket.extra;
  let at = freeStart(ring, ticket, rows);
  const bytes = parts.reduce((sum, part) => sum + part.head.length + ARRAY32_HEAD_BYTES + part.end - part.start, 0);
  const { outStart, outBytes, recordsMax } = ring.shape(ticket.slab);
  if (at + bytes > ring.start(ticket.slab) + outStart + outBytes || first + parts.length > recordsMax) return [];
  for (const [index, part] of parts.entries()) {
    const to = rows + (first + index) * BATCH_WORDS;
    ring.words.copyWithin(to, row, row + BATCH_WORDS);
    ring.words[to + BatchWord.start] = at;
    ring.words[to + BatchWord.lead] = 0;
    at = put(ring, at, part.head);
    ring.words[to + BatchWord.payloadStart] = at;
    at = put(ring, at, arrayHead(part.count));
    at = put(ring, at, payload.subarray(part.start, part.end));
    ring.words[to + BatchWord.end] = at;
    ring.words[to + BatchWord.count] = part.count;
    for (const words of owners) for (let event = 0; event < part.count; event += 1) ring.words[words[part.from + event]!] = first + index;
  }
  ticket.extra += parts.length;
  ticket.open += parts.length - 1;
  return parts.map((_, index) => first + index);
}

interface Whole {
  readonly head: string;
  readonly bounds: readonly number[];
  readonly places: readonly EventPlace[] | null;
}

function partsOf(whole: Whole, bytesMax: number): Part[] {
  const { head, bounds } = whole;
  const parts: Part[] = [];
  const count = bounds.length - 1;
  const room = bytesMax - head.length - MORE_HEAD_BYTES - ARRAY32_HEAD_BYTES;
  for (let from = 0; from < count;) {
    let next = from + 1; // One event alone may be too large: the broker refuses it, and only it.
    while (next < count && bounds[next + 1]! - bounds[from]! <= room) next += 1;
    parts.push({ from, count: next - from, head: headOf(whole, from, next - from), start: bounds[from]!, end: bounds[next]! });
    from = next;
  }
  return parts;
}

/** By which the headers of a part may be longer: two numbers more in both ids, and a place with more digits. */
const MORE_HEAD_BYTES = 64;
const SOURCE = /\r\nMillrace-Source: (\S+) [^\r]*/;

/** The range of the source covers the whole batch: a part claims its own, or none where it is not known. */
function headOf({ head, places }: Whole, from: number, count: number): Buffer {
  const source =
    places === null ? '' : `\r\nMillrace-Source: ${SOURCE.exec(head)![1]} ${places[from]!.from}-${places[from + count - 1]!.to}`;
  const text = head
    .replace(/\r\nMillrace-Count: \d+/, `\r\nMillrace-Count: ${count}`)
    .replace(/\r\n(Millrace-Batch|Nats-Msg-Id): ([^\r]*)/g, `\r\n$1: $2.${from}-${from + count}`)
    .replace(SOURCE, () => source);
  return Buffer.from(text, 'latin1');
}

/** Offsets of the elements and of their end. */
function elementBounds(payload: Uint8Array, count: number): number[] | null {
  const bounds = [payload[0] === 0xdd ? 5 : payload[0] === 0xdc ? 3 : 1];
  for (let index = 0; index < count; index += 1) bounds.push(skipValue(payload, bounds[index]!, payload.length));
  return bounds.includes(-1) ? null : bounds;
}

/** Int32 indexes of the words that name the batch, one per event and list: its claims, and the records that callers wait for. Null = they do not match the events. */
function ownersOf(
  ring: Ring,
  { slab, callers }: Ticket,
  { batch, row, count }: { batch: number; row: number; count: number },
): number[][] | null {
  const { claimStart, recordStart } = ring.shape(slab);
  const owners: number[][] = [];
  const claims: number[] = [];
  for (let claim = 0; claim < ring.get(slab, SlabWord.claims); claim += 1) {
    const word = (ring.start(slab) + claimStart) / 4 + claim * CLAIM_WORDS + 1;
    if (ring.words[word] === batch) claims.push(word);
  }
  if (claims.length > 0) owners.push(claims);
  if (callers.length > 0) {
    const table = (ring.start(slab) + recordStart) / 4;
    const records: number[] = [];
    for (let record = ring.words[row + BatchWord.firstRecord]!; record <= ring.words[row + BatchWord.lastRecord]!; record += 1) {
      if (ring.words[table + record] === batch) records.push(table + record);
    }
    owners.push(records);
  }
  return owners.every((words) => words.length === count) ? owners : null;
}

/** After everything that batches of this run have written. */
function freeStart(ring: Ring, { batches, extra }: Ticket, rows: number): number {
  let end = 0;
  for (let batch = 0; batch < batches + extra; batch += 1)
    end = Math.max(end, ring.words[rows + batch * BATCH_WORDS + BatchWord.end]! >>> 0);
  return end + TRAIL_BYTES;
}

/** The header block of a batch. */
export function headersOf(ring: Ring, row: number): string {
  return Buffer.from(ring.bytes.slice(ring.words[row + BatchWord.start]! >>> 0, ring.words[row + BatchWord.payloadStart]! >>> 0)).toString(
    'latin1',
  );
}

function put(ring: Ring, at: number, bytes: Uint8Array): number {
  ring.bytes.set(bytes, at);
  return at + bytes.length;
}

function arrayHead(count: number): Uint8Array {
  if (count < 16) return Uint8Array.of(0x90 | count);
  return count < 65_536
    ? Uint8Array.of(0xdc, count >> 8, count & 255)
    : Uint8Array.of(0xdd, count >>> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255);
}
