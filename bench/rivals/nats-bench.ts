/** `nats bench`: random bytes of the same size, no reading, no parsing; what the broker takes at most, message by message. It has no warm-up of its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { toolPath } from '../harness/broker.ts';
import { foreignFigures, markAfter, markBefore } from '../harness/foreign.ts';
import { processCpuSeconds } from '../harness/procfs.ts';
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
  const mark = markBefore();
  const brokerBefore = processCpuSeconds(brokerPid);
  const started = performance.now();
  const { stdout, cpuSeconds } = await timed(toolPath(), args);
  const wallMs = performance.now() - started;
  const broker = processCpuSeconds(brokerPid) - brokerBefore;
  const machine = { before: mark, after: markAfter() };
  const rate = Number((/stats: ([\d,.]+) msgs\/sec/.exec(stdout)?.[1] ?? 'NaN').replaceAll(',', ''));
  if (Number.isNaN(rate)) throw new Error(`nats bench said: ${stdout.slice(-300)}`);
  const figures = {
    events,
    rate,
    elapsedMs: (events / rate) * 1_000,
    cpuPerMillion: (cpuSeconds / events) * 1e6,
    brokerCpuPerMillion: (broker / events) * 1e6,
    ...foreignFigures(machine, broker + cpuSeconds, wallMs),
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
