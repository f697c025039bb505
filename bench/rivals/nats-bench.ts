/** `nats bench`: random bytes of the same size, no reading, no parsing; what the broker takes at most, message by message. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { toolPath } from '../harness/broker.ts';
import { machineCpu, processCpuSeconds } from '../harness/procfs.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { numberOf, textOf } from './params.ts';

const RUN_MS_MAX = 300_000;
const MICROS_PER_MS = 1_000;
const STREAM_BYTES = '4GB';

/** Params: kind (async, fast, sync), events, bytes, batch (window of async and fast), ids. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params, url, brokerPid } = request;
  const kind = textOf(params, 'kind', 'async');
  const events = numberOf(params, 'events', 100_000);
  const args = ['-s', url, '--no-context', 'bench', 'js', 'pub', kind, 'bench.x', '--create', '--stream', 'BENCH', '--storage', 'file'];
  args.push('--maxbytes', STREAM_BYTES, '--size', `${numberOf(params, 'bytes', 214)}B`, '--msgs', String(events), '--no-progress');
  if (params['batch'] !== undefined) args.push('--batch', String(numberOf(params, 'batch')));
  if (params['ids'] === true) args.push('--dedup');
  const before = { broker: processCpuSeconds(brokerPid), ...machineCpu() };
  const started = performance.now();
  const { stdout, cpuSeconds } = await timed(toolPath(), args);
  const wallMs = performance.now() - started;
  const broker = processCpuSeconds(brokerPid) - before.broker;
  const after = machineCpu();
  const rate = Number((/stats: ([\d,.]+) msgs\/sec/.exec(stdout)?.[1] ?? 'NaN').replaceAll(',', ''));
  if (Number.isNaN(rate)) throw new Error(`nats bench said: ${stdout.slice(-300)}`);
  const foreign = Math.max(0, after.busy - before.busy - broker - cpuSeconds);
  const figures = {
    events,
    rate,
    elapsedMs: (events / rate) * 1_000,
    cpuPerMillion: (cpuSeconds / events) * 1e6,
    brokerCpuPerMillion: (broker / events) * 1e6,
    foreignShare: foreign / ((wallMs / 1_000) * availableParallelism()),
    ...(kind === 'sync' ? { p50Ms: microsOf(stdout, 'P50') / MICROS_PER_MS, p99Ms: microsOf(stdout, 'P99') / MICROS_PER_MS } : {}),
  };
  return { figures, verified: await countMessages(url, events) };
}

const microsOf = (text: string, name: string): number =>
  Number((new RegExp(`${name}: ([\\d,.]+)us`).exec(text)?.[1] ?? 'NaN').replaceAll(',', ''));

/** The shell's own clock: Node does not tell what a child used. */
async function timed(tool: string, args: readonly string[]): Promise<{ stdout: string; cpuSeconds: number }> {
  const script = 'TIMEFORMAT="@cpu %U %S"; time "$0" "$@"';
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script, tool, ...args], { timeout: RUN_MS_MAX, maxBuffer: 2 ** 24 });
  const [, user, system] = /@cpu ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  return { stdout: stdout + stderr, cpuSeconds: Number(user ?? 0) + Number(system ?? 0) };
}

async function countMessages(url: string, wanted: number): Promise<string> {
  const connection = await connect({ servers: url });
  const { state } = await (await connection.jetstreamManager()).streams.info('BENCH');
  await connection.close();
  if (state.messages !== wanted) throw new Error(`the stream holds ${state.messages} messages, not ${wanted}`);
  return `${state.messages} messages counted in the stream`;
}
