/** Copies a store while others write to it: LMDB copies one snapshot, and the copy is on disk when the promise resolves. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DATA_FILE } from './data-file.ts';
import { storeError, storeFault } from './errors.ts';
import { makeFolder } from './folder.ts';
import { closeStore, openStore, syncFolder } from './store.ts';
import type { Store } from './store.ts';

/** Holds the copy until it is whole: what was cut short is never taken for a store. */
const UNFINISHED = 'unfinished-backup';

/** `target` is a folder that is missing or empty; it is a store of its own afterwards. Returns the bytes of its data file. */
export async function backupStore(path: string, target: string): Promise<number> {
  const store = openStore(path, { create: false, doing: 'back up' });
  try {
    const made = prepareTarget(target);
    try {
      return await copyWhole(store, target, made);
    } catch (error) {
      rmSync(made ?? join(target, UNFINISHED), { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    throw storeError(target, 'back up into', error);
  } finally {
    await closeStore(store);
  }
}

/** The first folder that had to be made for it, or null. */
function prepareTarget(target: string): string | null {
  const stats = statSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return makeFolder(target);
  if (!stats.isDirectory()) throw storeFault(target, 'back up into', 'the path is a file; name a folder');
  // Of a backup that was killed.
  if (readdirSync(target).some((name) => name !== UNFINISHED))
    throw storeFault(target, 'back up into', 'the folder is not empty; name a new one');
  return null;
}

async function copyWhole(store: Store, target: string, made: string | null): Promise<number> {
  const unfinished = join(target, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  const bytes = await copyData(store, unfinished);
  renameSync(join(unfinished, DATA_FILE), join(target, DATA_FILE));
  rmSync(unfinished, { recursive: true });
  syncFolder(target); // the rename itself must be on disk
  if (made !== null) syncFolder(dirname(made));
  return bytes;
}

/** Free pages are left out, so the copy is as small as it can be. */
export async function copyData(store: Store, folder: string): Promise<number> {
  await store.environment.backup(folder, true);
  const file = await open(join(folder, DATA_FILE), 'r+');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
