/** Stops a server's process so that it surely stands still: the signal alone is only delivered some time later. */
import { readFileSync } from 'node:fs';
import { waitFor } from '../harness/wait-for.ts';

export async function standStill(server: { readonly pid: number; kill(signal: NodeJS.Signals): Promise<void> }): Promise<void> {
  await server.kill('SIGSTOP');
  await waitFor(`process ${server.pid} to stand still`, () => stopped(server.pid));
}

/** Where the system has no /proc, the signal is taken at its word. */
function stopped(pid: number): boolean {
  try {
    return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
