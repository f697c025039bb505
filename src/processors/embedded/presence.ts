/**
 * Who has a store open, as one small file per opener: compaction replaces the data file and must be alone. Files of ended
 * processes do not count. It sees the processes of this machine (and of this container) only, as LMDB itself does.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeFault } from './errors.ts';

const FOLDER = 'open';
const COMPACTING = 'compacting';
let entries = 0;

/** Registers this opener; returns what takes it out again. */
export function enter(path: string): () => void {
  const folder = join(path, FOLDER);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${process.pid}-${++entries}`);
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
}

/** Process ids that have the store open, once per opener. */
export function openers(path: string): readonly number[] {
  const alive: number[] = [];
  mkdirSync(join(path, FOLDER), { recursive: true }); // a backup has none yet
  for (const name of readdirSync(join(path, FOLDER), 'utf8')) {
    const pid = Number.parseInt(name, 10);
    if (isAlive(pid)) alive.push(pid);
    else rmSync(join(path, FOLDER, name), { force: true });
  }
  return alive;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { readonly code?: string }).code === 'EPERM';
  }
}

export function checkNotCompacting(path: string): void {
  const folder = join(path, COMPACTING);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return;
  const owner = Number.parseInt(readdirSync(folder).find((name) => /^\d+$/u.test(name)) ?? '', 10);
  if (isAlive(owner)) throw storeFault(path, 'open', `process ${owner} is compacting it; try again when it is done`);
  rmSync(folder, { recursive: true, force: true }); // what a killed compaction left; the data file was not replaced yet, or completely
}

/** Takes the store for compaction; fails when another compaction is at work. The folder it returns may hold the copy. */
export function claimForCompaction(path: string): { readonly folder: string; readonly release: () => void } {
  checkNotCompacting(path);
  const folder = join(path, COMPACTING);
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw storeFault(path, 'compact', 'another process is compacting it');
  }
  writeFileSync(join(folder, String(process.pid)), '');
  return { folder, release: () => rmSync(folder, { recursive: true, force: true }) };
}
