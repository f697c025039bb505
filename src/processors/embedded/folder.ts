/** Makes a folder with all that is missing above it; what forbids it is told as it is. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The first folder that had to be made, or null when all were there. */
export function makeFolder(path: string): string | null {
  try {
    return mkdirSync(path, { recursive: true }) ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Node says so of a read-only file system too: the first one that is missing, made alone, tells the truth.
    let missing = resolve(path);
    while (missing !== dirname(missing) && !existsSync(dirname(missing))) missing = dirname(missing);
    mkdirSync(missing);
    mkdirSync(path, { recursive: true });
    return missing;
  }
}
