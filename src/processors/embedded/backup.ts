/** Copies a store while others write to it: LMDB copies one snapshot, and the copy is on disk when the promise resolves. */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DATA_FILE } from './data-file.ts';
import { storeError, storeFault } from './errors.ts';
import { closeStore, openStore } from './store.ts';
import type { Store } from './store.ts';

/** `target` is a folder that is missing or empty; it is a store of its own afterwards. Returns the bytes of its data file. */
export async function backupStore(path: string, target: string): Promise<number> {
  const store = openStore(path, { create: false, doing: 'back up' });
  try {
    prepareTarget(target);
    return await copyData(store, target);
  } catch (error) {
    throw storeError(target, 'back up into', error);
  } finally {
    await closeStore(store);
  }
}

function prepareTarget(target: string): void {
  const stats = statSync(target, { throwIfNoEntry: false });
  if (stats === undefined) mkdirSync(target, { recursive: true });
  else if (!stats.isDirectory()) throw storeFault(target, 'back up into', 'the path is a file; name a folder');
  else if (readdirSync(target).length > 0) throw storeFault(target, 'back up into', 'the folder is not empty');
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
