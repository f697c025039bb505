/** What can be done to a store from outside, for the library and the command: named by its folder or its URL, LMDB loaded only when asked. */
import { Faults } from '../../config/faults.ts';
import { DEFAULT_TARGET } from '../../config/target.ts';
import { parseTarget, schemes } from '../../config/url.ts';
import type { Compaction } from './compact.ts';
import type { StoreInfo } from './info.ts';

/** What is in a store, read in one look; others may be at work on it. */
export async function storeInfo(store: string): Promise<StoreInfo> {
  const info = await import('./info.ts');
  return info.storeInfo(folderOf(store));
}

/** Copies a store to a folder that is missing or empty, while others may be at work on it. Returns the bytes of the copy. */
export async function backupStore(store: string, folder: string): Promise<number> {
  const backup = await import('./backup.ts');
  return backup.backupStore(folderOf(store), folderOf(folder));
}

/** Gives the room of removed messages back to the disk; refused while anybody has the store open. */
export async function compactStore(store: string): Promise<Compaction> {
  const compact = await import('./compact.ts');
  return compact.compactStore(folderOf(store));
}

/** `PATH`, `embedded:PATH`, or the default one for `embedded:`. Any other URL is refused: a folder is hardly ever called so. */
function folderOf(store: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(store)?.[1]?.toLowerCase() ?? '';
  if (!Object.hasOwn(schemes, scheme) && !store.includes('://')) return store;
  const faults = new Faults();
  const target = parseTarget(store, 'store', faults);
  if (target.kind !== null && target.kind !== 'embedded')
    faults.add('store', `a ${target.kind} broker is no embedded store`, 'expected a folder or embedded:PATH');
  faults.throwIfAny();
  return target.parts.get('path') ?? DEFAULT_TARGET.replace(/^embedded:/, '');
}
