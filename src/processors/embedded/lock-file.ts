/**
 * Makes the files of a new store where there is room for them, before LMDB does: it maps its lock file without having room for
 * it, and on a full disk the first touch of the map would end the process (SIGBUS).
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, ftruncateSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DATA_FILE } from './data-file.ts';

/** 512 readers of 64 bytes, and the head; a longer file only has room for more readers. */
const LOCK_BYTES = 36_864;
/** The first pages of a data file, with some to spare. */
const DATA_BYTES = 65_536;

/** Fails as any write to a full disk does. Whoever comes second finds the file of the first, whole. */
export function makeLockFile(path: string): void {
  const file = join(path, 'lock.mdb');
  if (existsSync(file)) return;
  const own = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(own, 'wx', 0o664);
  try {
    const needed = existsSync(join(path, DATA_FILE)) ? LOCK_BYTES : LOCK_BYTES + DATA_BYTES;
    // Written and not only made longer: a hole has no room on the disk.
    for (let at = 0; at < needed;) at += writeSync(descriptor, Buffer.alloc(needed - at), 0, needed - at, at);
    fsyncSync(descriptor);
    ftruncateSync(descriptor, LOCK_BYTES);
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    rmSync(own, { force: true });
  }
}
