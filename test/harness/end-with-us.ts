/** A child never outlives the test: not even one that is ended by SIGKILL, when no handler of ours runs. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

/** `cat` ends when the pipe from this process closes, whatever closed it. Its own group keeps a Ctrl-C from ending it first. */
const SCRIPT = 'cat > /dev/null; kill -9 "$1" 2> /dev/null; [ -z "$2" ] || rm -rf "$2"';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Watches a child until it has ended. `folder`: its data, removed if this process dies before it. */
export function endWithUs(child: ChildProcess, folder = ''): void {
  running.add(child);
  const watcher =
    process.platform === 'win32'
      ? null
      : spawn('sh', ['-c', SCRIPT, 'sh', String(child.pid), folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher?.unref();
  watcher?.on('error', () => undefined);
  (watcher?.stdin as { unref?: () => void } | null)?.unref?.();
  child.once('exit', () => {
    running.delete(child);
    // At once: its process id may belong to another soon.
    watcher?.kill('SIGKILL');
  });
}
