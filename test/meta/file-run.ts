/** Runs one compiled file in a process group of its own, within a deadline; nothing that it started outlives it. */
import { spawn } from 'node:child_process';
import type { FileRun } from './totals.ts';

const OUTPUT_CHARS_MAX = 4_000_000;
const running = new Set<number>();

/** `group` leaders still at work are killed, for when the runner itself is stopped. */
export function killRunning(): void {
  for (const pid of running) killGroup(pid);
}

export async function runFile(file: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<FileRun> {
  const startedMs = performance.now();
  // Detached: the group's id is the child's, so that the children of a test can be ended with it.
  const child = spawn(process.execPath, ['--enable-source-maps', file], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const pid = child.pid;
  let output = '';
  let timedOut = false;
  const collect = (chunk: string): void => {
    if (output.length < OUTPUT_CHARS_MAX) output += chunk;
    // The report is at the end: of an endless output the middle goes.
    else output = `${output.slice(0, OUTPUT_CHARS_MAX / 2)}\n…\n${output.slice(-OUTPUT_CHARS_MAX / 4)}${chunk}`;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  if (pid !== undefined) running.add(pid);
  const timer = setTimeout(() => {
    timedOut = true;
    if (pid !== undefined) killGroup(pid);
  }, timeoutMs);
  const ended = await new Promise<{ readonly exitCode: number | null; readonly signal: string | null }>((resolve) => {
    child.once('error', (error) => {
      collect(`${error.message}\n`);
      resolve({ exitCode: 1, signal: null });
    });
    // An orphan that holds the pipe would keep 'close' away for ever: end the group as soon as its leader has gone.
    child.once('exit', () => pid !== undefined && killGroup(pid));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  clearTimeout(timer);
  if (pid !== undefined) running.delete(pid);
  return { file, output, ...ended, timedOut, elapsedMs: Math.round(performance.now() - startedMs) };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: all of it has gone already.
  }
}
