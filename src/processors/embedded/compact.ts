/** Rewrites a store without the room that removed messages left. Nobody else may have it open; killed at any moment it is the old store or the new one, whole. */
import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { copyData } from './backup.ts';
import { DATA_FILE } from './data-file.ts';
import { storeError, storeFault } from './errors.ts';
import { claimForCompaction, openers } from './presence.ts';
import { checkFolder, closeStore, openStore, syncFolder } from './store.ts';

export interface Compaction {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export async function compactStore(path: string): Promise<Compaction> {
  let release = (): void => undefined;
  try {
    checkFolder(path, false);
    const claim = claimForCompaction(path);
    const { folder } = claim;
    release = claim.release;
    const others = openers(path);
    if (others.length > 0) throw storeFault(path, 'compact', `process ${others.join(', ')} has it open; close it there first`);
    const data = join(path, DATA_FILE);
    const bytesBefore = statSync(data).size;
    const store = openStore(path, { create: false, doing: 'compact', compacting: true });
    let bytesAfter = 0;
    try {
      bytesAfter = await copyData(store, folder);
    } finally {
      await closeStore(store);
    }
    renameSync(join(folder, DATA_FILE), data);
    syncFolder(path); // the rename itself must be on disk
    return { bytesBefore, bytesAfter };
  } catch (error) {
    throw storeError(path, 'compact', error);
  } finally {
    release();
  }
}
