/** Reads what is already stored, for recovery: no position, no claims, no writes. */
import type { InboundMessage } from '../broker.ts';
import { Inbound } from './inbound.ts';
import { RecordView } from './record.ts';
import { sequenceAtTime } from './scan.ts';
import type { Store } from './store.ts';
import { readHead, readRecord } from './store.ts';

const TURN_BYTES = 4 * 1_048_576;

export async function readBack(store: Store, fromTimeMs: number, onMessage: (message: InboundMessage) => void): Promise<number> {
  const view = new RecordView();
  const inbound = new Inbound(view);
  let sequence = sequenceAtTime(store, fromTimeMs);
  let bytes = 0;
  let { next } = readHead(store);
  for (; sequence < next; sequence++) {
    if (!readRecord(store, sequence, view)) continue; // retention went past it
    onMessage(inbound.set({ sequence, deliveries: 1, settled: false }));
    bytes += view.end;
    if (bytes < TURN_BYTES) continue;
    bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
    ({ next } = readHead(store));
  }
  return sequence - 1;
}
