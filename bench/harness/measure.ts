/** Times one piece of work and tells where the CPU went: this process, its main thread, the broker, children, and anybody else. */
import { statSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { foreignFigures, markAfter, markBefore } from './foreign.ts';
import { GcWatch } from './gc-watch.ts';
import { processCpuSeconds, threadCpuSeconds } from './procfs.ts';

const NANOS_PER_MS = 1e6;
/** A timer of 1 ms is late by itself by up to so much. */
const LOOP_RESOLUTION_MS = 1;

export interface MeasureOptions<T> {
  /** 0 = no broker. */
  readonly brokerPid: number;
  /** Seconds that children used, asked after the work. */
  readonly childSeconds?: () => number;
  /** What the figures are for. */
  readonly events: (result: T) => number;
  /** Off where a histogram of the loop would be part of the load. */
  readonly watchLoop?: boolean;
}

export interface Measured<T> {
  readonly result: T;
  readonly figures: Readonly<Record<string, number>>;
}

export async function measure<T>(work: () => Promise<T>, options: MeasureOptions<T>): Promise<Measured<T>> {
  const { brokerPid, watchLoop = true, childSeconds = (): number => 0 } = options;
  const loop = watchLoop ? monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS }) : null;
  const gc = watchLoop ? new GcWatch() : null;
  const machineBefore = markBefore();
  const before = snapshot(brokerPid);
  const turns = performance.eventLoopUtilization();
  loop?.enable();
  const started = performance.now();
  const result = await work();
  const elapsedMs = performance.now() - started;
  loop?.disable();
  const utilization = performance.eventLoopUtilization(turns).utilization;
  const after = snapshot(brokerPid);
  const machine = { before: machineBefore, after: markAfter() };
  const pauses = (await gc?.stop(elapsedMs)) ?? {};
  const events = options.events(result);
  const own = after.own - before.own + childSeconds();
  const broker = after.broker - before.broker;
  return {
    result,
    figures: {
      events,
      elapsedMs,
      rate: (events / elapsedMs) * 1_000,
      cpuPerMillion: (own / events) * 1e6,
      mainCpuPerMillion: ((after.main - before.main) / events) * 1e6,
      brokerCpuPerMillion: (broker / events) * 1e6,
      mainBusy: (after.main - before.main) / (elapsedMs / 1_000),
      loopUtilization: utilization,
      ...(loop === null ? {} : { loopP99Ms: Math.max(0, loop.percentile(99) / NANOS_PER_MS - LOOP_RESOLUTION_MS) }),
      ...pauses,
      ...foreignFigures(machine, own + broker, elapsedMs),
    },
  };
}

/** Bytes of the input per second, for inputs whose events differ in size. */
export function inputRate(input: string, { elapsedMs = 0 }: Readonly<Record<string, number>>): { readonly inputMBps: number } {
  return { inputMBps: statSync(input).size / 1e6 / (elapsedMs / 1_000) };
}

interface Snapshot {
  readonly own: number;
  readonly main: number;
  readonly broker: number;
}

function snapshot(brokerPid: number): Snapshot {
  const { user, system } = process.cpuUsage();
  return {
    own: (user + system) / 1e6,
    main: threadCpuSeconds('self', process.pid),
    broker: brokerPid === 0 ? 0 : processCpuSeconds(brokerPid),
  };
}
