/** The command `millrace ingest` in a process of its own, which is killed at a moment that the caller picks. */
import { spawn } from 'node:child_process';
import type { IngestReport } from '../../../src/index.ts';
import { endWithUs } from '../../harness/end-with-us.ts';
import { commandFile } from '../cli/run-command.ts';

export interface Ended {
  /** Null: it was killed. */
  readonly code: number | null;
  readonly report: IngestReport | null;
  readonly stderr: string;
}

/** `killWhen` is awaited while it runs; when it resolves before the end, the process gets SIGKILL. */
export async function ingestProcess(
  args: readonly string[],
  cwd: string,
  killWhen?: (ended: AbortSignal) => Promise<void>,
): Promise<Ended> {
  const outer = Object.entries(process.env).filter(([name]) => !/^(MILLRACE_|NATS_URL$|NODE_V8_COVERAGE$)/.test(name));
  const child = spawn(process.execPath, [commandFile, 'ingest', ...args, '--json'], {
    cwd,
    env: Object.fromEntries(outer),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithUs(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new AbortController();
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  if (killWhen !== undefined)
    void killWhen(ended.signal).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
  const code = await closed;
  ended.abort();
  return { code, report: code === 0 || code === 2 ? (JSON.parse(stdout) as IngestReport) : null, stderr };
}
