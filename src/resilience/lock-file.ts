/** At most one living holder per lock file, over all processes that see the folder; a dead holder's lock is taken over. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { ErrorCode } from '../api/error-codes.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import { isSurelyDead, processPlace } from './process-place.ts';

export interface LockFile {
  release(): Promise<void>;
}

/** Fails with `code` when another process holds it, naming that process and the way out. */
export async function acquireLock(path: string, code: ErrorCode): Promise<LockFile> {
  const mine = `${processPlace} ${process.pid} ${randomBytes(6).toString('hex')}\n`;
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(own, mine, { flag: 'wx', mode: 0o600 });
    // A link appears whole or not at all: nobody ever reads half a lock.
    while (!(await tryLink(own, path))) await removeDead(path, code);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new MillraceError(code, `cannot lock ${path}: ${messageOf(error)}`, { cause: error, context: { file: path } });
  } finally {
    await rm(own, { force: true });
  }
  return { release: () => release(path, mine) };
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeDead(path: string, code: ErrorCode): Promise<void> {
  const held = await readFile(path, 'utf8').catch(() => null);
  if (held === null) return; // Released meanwhile.
  const [place = '', pid = ''] = held.split(' ');
  if (!isSurelyDead(place, Number(pid))) {
    const message = `${path} is held by process ${pid || '?'}${place === processPlace ? '' : ' on another machine or before a restart'}; remove the file if that process is gone`;
    throw new MillraceError(code, message, { context: { file: path } });
  }
  // Two may find the same dead lock: moving it aside is atomic, and what was moved is looked at before it is thrown away.
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => null);
  if (moved !== null && moved !== held) await tryLink(aside, path);
  await rm(aside, { force: true });
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === mine) await rm(path, { force: true });
}
