/** Reads what is already stored, for recovery: no position, no claims, no writes. */
import type { ReadBackRequest } from '../broker.ts';
import { Inbound } from './inbound.ts';
import { RecordView } from './record.ts';
import { sequenceAtTime } from './scan.ts';
import type { Store } from './store.ts';
import { firstSequence, readHead, readRecord } from './store.ts';

const TURN_BYTES = 4 * 1_048_576;

export async function readBack(store: Store, { fromSequence, fromTimeMs, message }: ReadBackRequest): Promise<number> {
  const view = new RecordView();
  const inbound = new Inbound(view);
  const byTime = sequenceAtTime(store, fromTimeMs);
  let { next } = readHead(store);
  let sequence = Math.max(firstSequence(store, next), Math.min(byTime, fromSequence ?? byTime));
  let bytes = 0;
  for (; sequence < next; sequence++) {
    if (!readRecord(store, sequence, view)) continue; // retention went past it
    message(inbound.set({ sequence, deliveries: 1, settled: false }));
    bytes += view.end;
    if (bytes < TURN_BYTES) continue;
    bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
    ({ next } = readHead(store));
  }
  return next - 1;
}
