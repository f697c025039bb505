/**
 * Removes letters without ever touching a file that another process may be writing to: sealed segments are written anew
 * beside themselves and renamed; for segments of living writers, and for damaged ones, the ids go to a `.purged` file.
 */
import { appendFile, open, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { encodeLine } from './checked-line.ts';
import { letterOf } from './dead-letter-line.ts';
import type { Segment } from './dead-letter-segment.ts';
import { folderError, listSegments, readLines, sealedPath } from './dead-letter-segment.ts';
import type { DeadLetterFilter } from './dead-letter-types.ts';
import { matchesFilter } from './dead-letter-types.ts';
import { acquireLock } from './lock-file.ts';
import { isSurelyDead } from './process-place.ts';
import { nodeFiles } from './segment-files.ts';

/** Ids of a segment that count as removed. */
export async function readPurged(folder: string, base: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const value of readLines(purgedPath(folder, base), () => undefined)) {
    for (const id of (value as { readonly ids?: readonly string[] }).ids ?? []) ids.add(id);
  }
  return ids;
}

/** How many letters were removed. One purge at a time per folder. */
export async function purgeLetters(folder: string, filter: DeadLetterFilter): Promise<number> {
  if ((await listSegments(folder)).length === 0) return 0;
  const lock = await acquireLock(join(folder, 'purge.lock'), 'MILLRACE_DEAD_LETTERS');
  try {
    await removeLeftovers(folder);
    let count = 0;
    for (const segment of await listSegments(folder)) count += await purgeSegment(folder, segment, filter);
    return count;
  } catch (error) {
    throw folderError(folder, error, 'purge');
  } finally {
    await lock.release();
  }
}

async function purgeSegment(folder: string, segment: Segment, filter: DeadLetterFilter): Promise<number> {
  const { writer, base } = segment;
  const sealed = sealedPath(folder, base);
  const dead = writer !== null && isSurelyDead(writer.place, writer.pid);
  if (dead) await nodeFiles.rename(segment.path, sealed);
  const path = dead ? sealed : segment.path;
  const found = await findMatches(path, { sealed, purged: await readPurged(folder, base), filter });
  const some = found.matches.length > 0;
  if (writer !== null && !dead) {
    if (some) await tombstone(folder, base, found.matches);
  } else if (found.kept === 0 && (found.damaged === 0 || isEmpty(filter))) await removeSegment(folder, base);
  else if (found.damaged > 0) {
    // A copy would leave the damaged bytes behind, and somebody may still want to look at them.
    if (some) await tombstone(folder, base, found.matches);
  } else if (some || found.purged > 0) await rewrite(folder, base, found.removed);
  return found.matches.length;
}

interface Found {
  /** Letters to remove now. */
  readonly matches: string[];
  /** Those, and those removed before. */
  readonly removed: Set<string>;
  purged: number;
  kept: number;
  damaged: number;
}

async function findMatches(
  path: string,
  { sealed, purged, filter }: { sealed: string; purged: ReadonlySet<string>; filter: DeadLetterFilter },
): Promise<Found> {
  const found: Found = { matches: [], removed: new Set(), purged: 0, kept: 0, damaged: 0 };
  for await (const value of readLines(path, () => (found.damaged += 1), sealed)) {
    const letter = letterOf(value);
    const gone = letter !== null && purged.has(letter.id);
    const matches = letter !== null && !gone && matchesFilter(letter, filter);
    if (gone) found.purged += 1;
    if (matches) found.matches.push(letter.id);
    if (gone || matches) found.removed.add(letter.id);
    else found.kept += 1;
  }
  return found;
}

async function tombstone(folder: string, base: string, ids: readonly string[]): Promise<void> {
  // The empty line first ends what a crash may have left unfinished.
  const line = Buffer.concat([Buffer.from('\n'), encodeLine({ ids })]);
  await appendFile(purgedPath(folder, base), line, { mode: 0o600, flush: true });
  await nodeFiles.syncFolder(folder);
}

async function removeSegment(folder: string, base: string): Promise<void> {
  await rm(sealedPath(folder, base), { force: true });
  await rm(purgedPath(folder, base), { force: true });
  await nodeFiles.syncFolder(folder);
}

async function rewrite(folder: string, base: string, removed: ReadonlySet<string>): Promise<void> {
  const path = sealedPath(folder, base);
  const temporary = join(folder, `${base}.${randomBytes(4).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    for await (const value of readLines(path, () => undefined)) {
      if (!removed.has(letterOf(value)?.id ?? '')) await file.appendFile(encodeLine(value as object));
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  await nodeFiles.rename(temporary, path);
  await nodeFiles.syncFolder(folder);
  // Only now: until the new file is durable, the old one may come back.
  await rm(purgedPath(folder, base), { force: true });
}

/** Of a purge that was killed. The lock is held, so nobody is at work on them. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
}

function isEmpty(filter: DeadLetterFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

function purgedPath(folder: string, base: string): string {
  return join(folder, `${base}.purged`);
}
