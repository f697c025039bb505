/** Looks at data.mdb before LMDB does: LMDB-js crashes the process when LMDB refuses a file, so a refusal must come from here. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { storeFault } from './errors.ts';

export const DATA_FILE = 'data.mdb';
/** Meta page of LMDB's data format 2: 24 bytes of page header, then magic and version. */
const MAGIC = 0xbeef_c0de;
const MAGIC_AT = 24;
const DATA_VERSION = 2;
const LOOK_BYTES = 32;

/** Also fails, with the system's error, when the file may not be read and written. */
export function checkDataFile(path: string): void {
  for (const name of [DATA_FILE, 'lock.mdb']) {
    const file = join(path, name);
    if (!existsSync(file)) continue;
    const descriptor = openSync(file, 'r+');
    try {
      if (name === DATA_FILE) checkHeader(path, descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

function checkHeader(path: string, descriptor: number): void {
  const bytes = Buffer.alloc(LOOK_BYTES);
  const read = readSync(descriptor, bytes, 0, LOOK_BYTES, 0);
  if (read === 0) return; // made and not yet written: LMDB starts it anew
  const word = (at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
  if (read < LOOK_BYTES || word(MAGIC_AT) !== MAGIC)
    throw storeFault(path, 'open', 'its data.mdb is not an LMDB file, or is damaged; restore a backup or choose another path');
  const version = word(MAGIC_AT + 4) & 0xffff;
  if (version !== DATA_VERSION)
    throw storeFault(path, 'open', `its data.mdb has LMDB data format ${version}, not ${DATA_VERSION}; choose another path`);
}
