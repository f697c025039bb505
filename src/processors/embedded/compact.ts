/** Rewrites a store without the room that removed messages left. Nobody else may have it open; killed at any moment it is the old store or the new one, whole. */
import { renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { copyData } from './backup.ts';
import { storeError, storeFault } from './errors.ts';
import { claimForCompaction, openers } from './presence.ts';
import { closeStore, openStore } from './store.ts';

export interface Compaction {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export async function compactStore(path: string): Promise<Compaction> {
  if (statSync(join(path, 'data.mdb'), { throwIfNoEntry: false }) === undefined) throw storeFault(path, 'compact', 'there is no store at this path');
  const { folder, release } = claimForCompaction(path);
  try {
    const others = openers(path);
    if (others.length > 0) throw storeFault(path, 'compact', `process ${others.join(', ')} has it open; close it there first`);
    const data = join(path, 'data.mdb');
    const bytesBefore = statSync(data).size;
    const store = openStore(path, { create: false, doing: 'compact', compacting: true });
    let bytesAfter = 0;
    try {
      bytesAfter = await copyData(store, folder);
    } finally {
      await closeStore(store);
    }
    renameSync(join(folder, 'data.mdb'), data);
    await syncFolder(path);
    return { bytesBefore, bytesAfter };
  } catch (error) {
    throw storeError(path, 'compact', error);
  } finally {
    release();
  }
}

/** The rename itself must be on disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
