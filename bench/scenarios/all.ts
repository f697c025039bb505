/** The list of scenarios, in the order they run and are reported. */
import type { Scenario } from '../harness/types.ts';
import { consume } from './consume.ts';
import { each } from './each.ts';
import { embedded } from './embedded.ts';
import { growth } from './growth.ts';
import { ingest } from './ingest.ts';
import { kafka } from './kafka.ts';
import { knobScenarios } from './knobs.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { micro } from './micro.ts';
import { objects } from './objects.ts';
import { realData } from './real-data.ts';
import { startup } from './startup.ts';

export const scenarios: readonly Scenario[] = [
  ingest,
  embedded,
  each,
  latency,
  objects,
  consume,
  memory,
  kafka,
  realData,
  startup,
  micro,
  ...growth,
  ...knobScenarios,
];
