/** The list of scenarios, in the order they run and are reported. */
import type { Scenario } from '../harness/types.ts';
import { consume } from './consume.ts';
import { each } from './each.ts';
import { embedded } from './embedded.ts';
import { growth } from './growth.ts';
import { growthEvents } from './growth-events.ts';
import { ingest } from './ingest.ts';
import { kafka } from './kafka.ts';
import { kindsScenario } from './kinds.ts';
import { knobScenarios } from './knobs.ts';
import { latency } from './latency.ts';
import { loop } from './loop.ts';
import { memory } from './memory.ts';
import { micro } from './micro.ts';
import { objects } from './objects.ts';
import { realData } from './real-data.ts';
import { startup } from './startup.ts';
import { subjects } from './subjects.ts';
import { window } from './window.ts';

export const scenarios: readonly Scenario[] = [
  ingest,
  loop,
  each,
  latency,
  objects,
  consume,
  memory,
  window,
  embedded,
  kafka,
  kindsScenario,
  startup,
  growthEvents,
  subjects,
  realData,
  micro,
  ...growth,
  ...knobScenarios,
];
