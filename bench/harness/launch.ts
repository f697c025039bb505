/** One run in a process of its own: no contender inherits another's compiled code, caches or heap. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../test/harness/end-with-us.ts';
import { PIN, startBroker } from './broker.ts';
import { Absent } from './types.ts';
import { warmMemory } from './warm-memory.ts';
import type { Contender, Placement, RunRequest, RunResult } from './types.ts';

const RUN_MS_MAX = 300_000;
const ERROR_CHARS_MAX = 600;
const RESULT_MARK = '@result ';
const ABSENT_MARK = '@absent ';
/** Core of the system under test under the placement `split`. */
const OWN_CORE = '0';

export interface LaunchOptions {
  readonly contender: Contender;
  readonly round: number;
  readonly seed: number;
  readonly placement: Placement;
}

/** Rejects with Absent when the contender cannot run here, and with what it printed when it failed. */
export async function launch({ contender, round, seed, placement }: LaunchOptions): Promise<RunResult> {
  warmMemory();
  const broker =
    contender.broker === undefined ? null : await startBroker(contender.broker, placement, contender.params['maxPayload'] === true);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-run-'));
  try {
    const { runner, params } = contender;
    const request: RunRequest = { runner, params, seed, round, url: broker?.url ?? '', brokerPid: broker?.pid ?? 0, folder };
    return await runProcess(request, contender.nodeFlags ?? [], placement);
  } finally {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runProcess(request: RunRequest, flags: readonly string[], placement: Placement): Promise<RunResult> {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const node = [process.execPath, '--enable-source-maps', ...flags, main, 'run', JSON.stringify(request)];
  const line = placement === 'split' ? [PIN, '-c', OWN_CORE, ...node] : node;
  const child = spawn(line[0]!, line.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], cwd: request.folder });
  endWithUs(child);
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const absent = out.split('\n').find((text) => text.startsWith(ABSENT_MARK));
  if (absent !== undefined) throw new Absent(absent.slice(ABSENT_MARK.length));
  const result = out.split('\n').find((text) => text.startsWith(RESULT_MARK));
  if (result === undefined || code !== 0) throw new Error(`${request.runner} ended with ${code}: ${reasonIn(errors)}`);
  return JSON.parse(result.slice(RESULT_MARK.length)) as RunResult;
}

/** The line that names the error, from what Node prints of an uncaught one. */
function reasonIn(errors: string): string {
  const line = errors.split('\n').find((text) => /^(?:\w*Error|Uncaught)\b/.test(text));
  return (line ?? errors.trim()).slice(-ERROR_CHARS_MAX);
}

/** The other side: runs what the request names and prints its result. */
export async function runHere(text: string): Promise<void> {
  const request = JSON.parse(text) as RunRequest;
  const { runnerOf } = await import('./contenders.ts');
  try {
    const result = await (await runnerOf(request.runner))(request);
    if (result.verified === '') throw new Error('the run does not say how it was verified');
    process.stdout.write(`${RESULT_MARK}${JSON.stringify(result)}\n`, () => process.exit(0));
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    process.stdout.write(`${ABSENT_MARK}${error.message}\n`, () => process.exit(0));
  }
}
