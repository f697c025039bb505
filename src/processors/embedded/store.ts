/**
 * An open store folder: three LMDB databases behind one environment, its format checked before anything else is touched.
 * `overlappingSync` is off, so a transaction that has committed has been flushed: one promise says both. `noSync` and
 * `useWritemap` stay off for good: the first acknowledges what is not on disk, the second turns a full disk into SIGBUS.
 */
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import type { Database, RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb';
import { DATA_FILE, checkDataFile } from './data-file.ts';
import { storeError, storeFault } from './errors.ts';
import { makeLockFile } from './lock-file.ts';
import { makeFolder } from './folder.ts';
import type { RecordView } from './record.ts';
import { sequenceKeys } from './record.ts';
import { checkNotCompacting, enter } from './presence.ts';

export const STORE_FORMAT = 1;
const FORMAT_KEY = 'format';
export const HEAD_KEY = 'head';
export const HEAD_BYTES = 16;
const DATABASES_MAX = 8;
const READERS_MAX = 512;

/** Where the next message goes. `token` changes with every write of the head: it is what a conditional write compares. */
export interface Head {
  readonly next: number;
  readonly bytes: number;
  readonly token: number;
}

export interface Store {
  readonly path: string;
  readonly environment: RootDatabase<Buffer, string>;
  readonly meta: Database<Buffer, string>;
  /** Sequence → record. Always give a range its start: LMDB-js's own default start is not one of our keys. */
  readonly messages: Database<Buffer, number>;
  readonly consumers: Database<Buffer, string>;
  leave(): void;
}

export function writeHead(target: Buffer, next: number, bytes: number): Buffer {
  target.writeDoubleLE(next, 0);
  target.writeDoubleLE(bytes, 8);
  return target;
}

export function newToken(): number {
  return Math.floor(Math.random() * 2 ** 52) + 1;
}

export interface OpenStoreOptions {
  /** False: a missing store is an error (info, backup, compact). */
  readonly create: boolean;
  /** What the caller does, for the message: `open`, `back up` … */
  readonly doing: string;
  /** The compaction itself, which has claimed the folder. */
  readonly compacting?: boolean;
}

export function openStore(path: string, { create, doing, compacting = false }: OpenStoreOptions): Store {
  try {
    checkFolder(path, create);
    // First say we are here, then look for a compaction, which does the same the other way round: one of the two sees the other.
    const leave = enter(path);
    let environment: RootDatabase<Buffer, string> | null = null;
    try {
      if (!compacting) checkNotCompacting(path);
      checkDataFile(path);
      makeLockFile(path);
      environment = open(environmentOptions(path)) as RootDatabase<Buffer, string>;
      const store = { ...openDatabases(path, environment), leave };
      if (create) syncFolder(path);
      return store;
    } catch (error) {
      leave();
      void environment?.close();
      throw error;
    }
  } catch (error) {
    throw storeError(path, doing, error);
  }
}

function environmentOptions(path: string): RootDatabaseOptionsWithPath {
  return {
    path,
    noSubdir: false, // else a folder named `a.b` would be taken for a file
    overlappingSync: false,
    eventTurnBatching: false, // its outer batch has a promise nobody can catch: a full disk would end the process
    encoding: 'binary',
    maxDbs: DATABASES_MAX,
    maxReaders: READERS_MAX,
  };
}

/** `create`: it is made when it is missing; else it must hold a store. */
export function checkFolder(path: string, create: boolean): void {
  if (path === '') throw storeFault(path, 'open', 'the path is empty; name a folder');
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    if (!create) throw storeFault(path, 'open', 'there is none at this path');
    const made = makeFolder(path);
    if (made !== null) syncFolder(dirname(made));
    return;
  }
  if (!stats.isDirectory()) throw storeFault(path, 'open', 'the path is a file; name a folder');
  if (!create && statSync(join(path, DATA_FILE), { throwIfNoEntry: false }) === undefined)
    throw storeFault(path, 'open', 'the folder holds no store (no data.mdb)');
}

/** A new file is on disk only when its folder is. Windows has no such call, and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openDatabases(path: string, environment: RootDatabase<Buffer, string>): Omit<Store, 'leave'> {
  const names = [...environment.getKeys()].map(String);
  if (names.length > 0 && !names.includes('meta'))
    throw storeFault(path, 'open', 'it is the LMDB database of another program; choose another path');
  const meta = environment.openDB('meta', { encoding: 'binary', useVersions: true }) as Database<Buffer, string>;
  checkFormat(path, meta);
  const keys = { encoding: 'binary', keyEncoder: sequenceKeys } as const;
  const messages = environment.openDB('messages', keys) as unknown as Database<Buffer, number>;
  const consumers = environment.openDB('consumers', { encoding: 'binary', useVersions: true }) as Database<Buffer, string>;
  return { path, environment, meta, messages, consumers };
}

/** Format and head are made in one transaction, so a store killed while it was created is simply new. */
function checkFormat(path: string, meta: Database<Buffer, string>): void {
  const format = environmentFormat(meta);
  if (format === null) {
    meta.transactionSync(() => {
      if (environmentFormat(meta) !== null) return; // another process was first
      meta.putSync(FORMAT_KEY, Buffer.from(String(STORE_FORMAT)), 1);
      meta.putSync(HEAD_KEY, writeHead(Buffer.alloc(HEAD_BYTES), 1, 0), newToken());
    });
    return;
  }
  if (format > STORE_FORMAT)
    throw storeFault(
      path,
      'open',
      `its format is ${format}, this version of Millrace reads ${STORE_FORMAT}; upgrade Millrace, or choose another path`,
    );
  if (format !== STORE_FORMAT)
    throw storeFault(
      path,
      'open',
      `its format is ${Number.isNaN(format) ? 'unknown' : format}, this version of Millrace reads ${STORE_FORMAT}; read it with the version that wrote it and replay it into a new store`,
    );
}

function environmentFormat(meta: Database<Buffer, string>): number | null {
  const value = meta.get(FORMAT_KEY);
  return value === undefined ? null : Number.parseInt(value.toString(), 10);
}

/** The newest state, other processes' writes included: `get` alone may read a snapshot of a moment ago. */
export function readHead(store: Store): Head {
  if (!inTransaction(store)) store.meta.resetReadTxn();
  const entry = store.meta.getEntry(HEAD_KEY);
  if (entry === undefined) throw storeFault(store.path, 'read', 'its head record is missing; restore a backup');
  return { next: entry.value.readDoubleLE(0), bytes: entry.value.readDoubleLE(8), token: entry.version ?? 0 };
}

const inTransaction = (store: Store): boolean => Boolean((store.meta as unknown as { env: { writeTxn: unknown } }).env.writeTxn);

/** Ends this process's use of it; LMDB-js waits for its own writes first. */
export async function closeStore(store: Store): Promise<void> {
  await store.environment.close();
  store.leave();
}

/** Oldest sequence kept; the head's `next` when the store is empty. */
export function firstSequence(store: Store, next: number): number {
  for (const sequence of store.messages.getKeys({ start: 0, limit: 1 })) return sequence;
  return next;
}

/** Reads one record into `view`; false when retention has removed it. The bytes are valid until the next read of any store. */
export function readRecord(store: Store, sequence: number, view: RecordView): boolean {
  const value = store.messages.getBinaryFast(sequence);
  if (value === undefined) return false;
  view.read(value);
  return true;
}
