/** A pool in the hands of the test: what is asked of a worker is answered also when its task ends before it has heard. */
import type { MessagePort } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { Serving } from '../../../src/engine/serving.ts';
import type { PipelineDescription } from '../../../src/memory/pipeline.ts';
import type { WorkQueue } from '../../../src/memory/work-queue.ts';
import type { CheckRequest, ServeFault, ServeOrder } from '../../../workers/entry.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';

const Check = timedSuite('checks of serving', { timeoutMs: 20_000 });

interface Task {
  readonly port: MessagePort;
  readonly end: (fault: ServeFault | null) => void;
}

interface Scene {
  readonly serving: Serving;
  readonly tasks: readonly Task[];
  readonly threw: readonly ServeFault[];
  readonly rounds: () => number;
}

function scene(): Scene {
  const tasks: Task[] = [];
  const threw: ServeFault[] = [];
  let rounds = 0;
  const run = ({ port }: ServeOrder): Promise<ServeFault | null> => {
    port.on('message', ({ id }: CheckRequest) => port.postMessage({ id })).unref();
    return new Promise((resolve) => tasks.push({ port, end: resolve }));
  };
  const queue = { nextRound: () => ++rounds, clear: () => undefined };
  const serving = new Serving(
    { run: run as (task: unknown) => Promise<unknown> },
    { workers: 1, queue: queue as unknown as WorkQueue },
    {
      idle: true,
      told: () => undefined,
      threw: (fault) => void threw.push(fault),
      died: () => undefined,
    },
  );
  return { serving, tasks, threw, rounds: () => rounds };
}

const DESCRIPTION = {} as PipelineDescription;

Check('asked while the tasks of the last round are on their way home', async () => {
  const { serving, tasks, rounds } = scene();
  serving.start();
  serving.rest();
  await waitFor('the end of the round', () => rounds() === 2);
  const check = serving.check(DESCRIPTION);
  tasks[0]!.end(null);
  await within('the check', 5_000, () => check);
  serving.close();
});

Check('asked of a worker that stops at a slab which it cannot run', async () => {
  const { serving, tasks, threw } = scene();
  serving.start();
  const check = serving.check(DESCRIPTION);
  tasks[0]!.end({ slab: 0, error: new Error('a defect') });
  await within('the check', 5_000, () => check);
  assert.is(threw.length, 1);
  serving.close();
});

Check.run();
