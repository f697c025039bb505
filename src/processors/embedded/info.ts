/** What is in a store, read in one look: for `millrace embedded info`. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeState, positionOf } from './consumer-state.ts';
import { DATA_FILE } from './data-file.ts';
import { storeError } from './errors.ts';
import { durableName } from './open-reader.ts';
import { RecordView } from './record.ts';
import type { Store } from './store.ts';
import { STORE_FORMAT, closeStore, firstSequence, openStore, readHead, readRecord } from './store.ts';

export interface DurableInfo {
  readonly name: string;
  readonly filter: string;
  /** All up to and including this sequence is done. */
  readonly position: number;
  /** Handed out and not done. */
  readonly pending: number;
}

export interface StoreInfo {
  readonly path: string;
  readonly format: number;
  readonly messages: number;
  /** 0 when there is no message. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstTime: Date | null;
  readonly lastTime: Date | null;
  /** Of the messages, subjects and headers included. */
  readonly bytes: number;
  /** Of the data file: with room that is free for new messages, and LMDB's own. */
  readonly fileBytes: number;
  readonly durables: readonly DurableInfo[];
}

export async function storeInfo(path: string): Promise<StoreInfo> {
  const store = openStore(path, { create: false, doing: 'read' });
  try {
    return describe(store);
  } catch (error) {
    throw storeError(path, 'read', error);
  } finally {
    await closeStore(store);
  }
}

function describe(store: Store): StoreInfo {
  const { next, bytes } = readHead(store);
  const first = firstSequence(store, next);
  const view = new RecordView();
  const hasFirst = next > first && readRecord(store, first, view);
  const firstTime = hasFirst ? new Date(view.timeMs) : null;
  const bytesBefore = hasFirst ? view.bytesBefore : bytes;
  const lastTime = next > first && readRecord(store, next - 1, view) ? new Date(view.timeMs) : null;
  return {
    path: store.path,
    format: STORE_FORMAT,
    messages: next - first,
    firstSequence: hasFirst ? first : 0,
    lastSequence: next - 1,
    firstTime,
    lastTime,
    bytes: bytes - bytesBefore,
    fileBytes: statSync(join(store.path, DATA_FILE)).size,
    durables: [...durables(store)],
  };
}

function* durables(store: Store): Generator<DurableInfo> {
  for (const { key, value } of store.consumers.getRange({})) {
    const name = durableName(key);
    if (name === null) continue;
    const state = decodeState(value);
    yield { name, filter: state.filter, position: positionOf(state), pending: state.pending.size };
  }
}
