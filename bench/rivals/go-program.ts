/** The Go rival: a module of its own, built into the cache when Go is there, absent with its reason when not. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { foreignFigures, markAfter, markBefore } from '../harness/foreign.ts';
import { inputFile } from '../harness/input.ts';
import { cacheFolder, projectFolder } from '../harness/places.ts';
import { processCpuSeconds } from '../harness/procfs.ts';
import { checkStream } from '../harness/stream-check.ts';
import { Absent } from '../harness/types.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUpFiles } from '../harness/warm-up.ts';
import { STREAM } from './nats-stream.ts';
import { inputOf, numberOf, textOf } from './params.ts';

const BUILD_MS_MAX = 300_000;
const RUN_MS_MAX = 300_000;
const source: string = join(projectFolder, 'bench', 'rivals', 'go');

/** Params: mode (each, batch), events, warmUp, duplicates. */
export async function run(request: RunRequest): Promise<RunResult> {
  const program = build();
  const input = await inputFile(inputOf(request));
  const mode = textOf(request.params, 'mode', 'each');
  // Go compiles beforehand: one part is enough to open the stream's way and the connection's.
  const warm = await warmUpFiles(request, numberOf(request.params, 'warmUp') === 0 ? 0 : 1);
  warmPageCache(input);
  const args = ['-url', request.url, '-file', input, '-mode', mode, ...warm.flatMap((file) => ['-warm', file])];
  const before = markBefore();
  const brokerBefore = processCpuSeconds(request.brokerPid);
  const started = performance.now();
  const { stdout } = await promisify(execFile)(program, args, {
    timeout: RUN_MS_MAX,
    env: { ...process.env, BROKER_PID: String(request.brokerPid) },
  });
  const wallMs = performance.now() - started;
  const machine = { before, after: markAfter() };
  const said = JSON.parse(stdout) as { events: number; elapsedMs: number; cpuSeconds: number; brokerSeconds: number; allSeconds: number };
  const { events, elapsedMs, cpuSeconds, brokerSeconds, allSeconds } = said;
  const figures = {
    events,
    elapsedMs,
    rate: (events / elapsedMs) * 1_000,
    cpuPerMillion: (cpuSeconds / events) * 1e6,
    brokerCpuPerMillion: (brokerSeconds / events) * 1e6,
    ...foreignFigures(machine, allSeconds + processCpuSeconds(request.brokerPid) - brokerBefore, wallMs),
  };
  const form = mode === 'batch' ? 'batch' : 'each';
  const inputs = [...warm, input];
  return { figures, verified: await checkStream({ url: request.url, stream: STREAM, inputs, deduped: true, form, generated: true }) };
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
