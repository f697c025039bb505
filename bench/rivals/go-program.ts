/** The Go rival: a module of its own, built into the cache when Go is there, absent with its reason when not. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inputFile } from '../harness/input.ts';
import { cacheFolder, projectFolder } from '../harness/places.ts';
import { machineCpu, processCpuSeconds } from '../harness/procfs.ts';
import { checkStream } from '../harness/stream-check.ts';
import { Absent } from '../harness/types.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { STREAM } from './nats-stream.ts';
import { inputOf, textOf } from './params.ts';

const BUILD_MS_MAX = 300_000;
const RUN_MS_MAX = 300_000;
const source: string = join(projectFolder, 'bench', 'rivals', 'go');

/** Params: mode (each, batch), events, duplicates. */
export async function run(request: RunRequest): Promise<RunResult> {
  const program = build();
  const input = await inputFile(inputOf(request));
  const mode = textOf(request.params, 'mode', 'each');
  const before = { broker: processCpuSeconds(request.brokerPid), ...machineCpu() };
  const { stdout } = await promisify(execFile)(program, ['-url', request.url, '-file', input, '-mode', mode], { timeout: RUN_MS_MAX });
  const said = JSON.parse(stdout) as { events: number; elapsedMs: number; cpuSeconds: number };
  const broker = processCpuSeconds(request.brokerPid) - before.broker;
  const after = machineCpu();
  const { events, elapsedMs, cpuSeconds } = said;
  const figures = {
    events,
    elapsedMs,
    rate: (events / elapsedMs) * 1_000,
    cpuPerMillion: (cpuSeconds / events) * 1e6,
    brokerCpuPerMillion: (broker / events) * 1e6,
    foreignShare: Math.max(0, after.busy - before.busy - broker - cpuSeconds) / ((elapsedMs / 1_000) * availableParallelism()),
  };
  const form = mode === 'batch' ? 'batch' : 'each';
  return { figures, verified: await checkStream({ url: request.url, stream: STREAM, input, deduped: true, form }) };
}

function build(): string {
  const program = join(cacheFolder, 'go-rival');
  if (existsSync(program) && statSync(program).mtimeMs > statSync(join(source, 'main.go')).mtimeMs) return program;
  mkdirSync(cacheFolder, { recursive: true });
  try {
    execFileSync('go', ['build', '-o', program, '.'], { cwd: source, timeout: BUILD_MS_MAX, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    throw new Absent(`Go: ${(stderr?.toString() || message).trim().split('\n').slice(-1)[0]}`);
  }
  return program;
}
