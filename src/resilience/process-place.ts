/** Tells surely whether the process behind a number of this file system is dead; when it is not sure, it is not dead. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where process ids of this process have their meaning: machine, boot and (containers) process namespace; 8 hex digits. */
export const processPlace: string = createHash('sha256')
  .update(
    [
      hostname(),
      tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
      tryRead(() => readlinkSync('/proc/self/ns/pid')),
    ].join('|'),
  )
  .digest('hex')
  .slice(0, 8);

/** A process id that was given to another process since counts as alive: the answer errs to the safe side. */
export function isSurelyDead(place: string, pid: number): boolean {
  if (place !== processPlace) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function tryRead(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return ''; // Not Linux.
  }
}
