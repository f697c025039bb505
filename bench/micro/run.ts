/** One micro bench in its own process, timed by tinybench: nanoseconds per event (or per step) of one small part. */
import { Bench } from 'tinybench';
import { Absent } from '../harness/types.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { numberOf, textOf } from '../rivals/params.ts';
import { codecTasks } from './codec.ts';
import { memoryTasks } from './memory.ts';
import { windowTasks } from './window.ts';
import type { MicroTask } from './task.ts';

const NANOS_PER_MS = 1e6;

/** Params: task, ms (of timing), and what the task asks for. */
export async function run({ params, seed }: RunRequest): Promise<RunResult> {
  const name = textOf(params, 'task');
  const make = { ...codecTasks, ...memoryTasks, ...windowTasks }[name];
  if (make === undefined) throw new Absent(`no micro bench ${name}`);
  const task = make({ params, seed });
  // Checked before it is timed: a fast wrong answer is no answer.
  const verified = task.check();
  const ms = numberOf(params, 'ms', 400);
  const nsPerOp = (await timed(name, task.step, ms)) / task.opsPerStep;
  const added = task.floor === undefined ? {} : { addedNs: nsPerOp - (await timed(`${name}, floor`, task.floor, ms)) / task.opsPerStep };
  return { figures: { nsPerOp, ...added, ...figuresOf(task) }, verified };
}

/** Median nanoseconds of a step. */
async function timed(name: string, step: () => void, ms: number): Promise<number> {
  const bench = new Bench({ time: ms, warmupTime: 200 });
  bench.add(name, () => step());
  await bench.run();
  const { result } = bench.tasks[0]!;
  if (!('latency' in result)) throw new Error(`${name} did not complete: ${JSON.stringify(result)}`);
  return result.latency.p50 * NANOS_PER_MS;
}

function figuresOf(task: MicroTask): Record<string, number> {
  return task.bytesPerId === undefined ? {} : { bytesPerId: task.bytesPerId };
}
