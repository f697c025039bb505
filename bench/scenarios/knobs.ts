/** What each knob moves: one curve per option of `connect`, all others at their default. The full set only. */
import type { Json, Scenario } from '../harness/types.ts';
import { curve } from './growth.ts';

const KIB = 1_024;
const MIB = KIB * KIB;

interface Knob {
  readonly option: string;
  readonly env: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly about: string;
  readonly log?: boolean;
}

const knobs: readonly Knob[] = [
  {
    option: 'slabs',
    env: 'MILLRACE_SLABS',
    unit: 'slabs',
    values: [2, 4, 8, 16, 32],
    about: 'The ring: queue, backpressure and retransmit window in one.',
  },
  {
    option: 'slabBytes',
    env: 'MILLRACE_SLAB_BYTES',
    unit: 'bytes',
    values: [64 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB],
    about: 'Larger slabs make larger batches and fewer hand-overs; each hand-over then holds the loop for longer.',
    log: true,
  },
  {
    option: 'batchBytes',
    env: 'MILLRACE_BATCH_BYTES',
    unit: 'bytes',
    values: [16 * KIB, 64 * KIB, 256 * KIB, 512 * KIB],
    about: 'Payload of one message at most; a batch never crosses a slab.',
    log: true,
  },
  {
    option: 'maxInFlightBytes',
    env: 'MILLRACE_MAX_IN_FLIGHT_BYTES',
    unit: 'bytes',
    values: [256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB],
    about: 'The window: bytes published and not yet acknowledged.',
    log: true,
  },
  {
    option: 'connections',
    env: 'MILLRACE_CONNECTIONS',
    unit: 'connections',
    values: [1, 2, 4],
    about: 'A subject always uses the same one, so one subject gains nothing; here there are 1,000.',
  },
];

function paramsOf({ option }: Knob, value: number): Readonly<Record<string, Json>> {
  const options = { workers: 1, [option]: value };
  return option === 'connections'
    ? { options, subjects: 1_000, events: 300_000, warmUp: 50_000, ingest: { id: '/id', subject: 'bench.{s}' } }
    : { options };
}

export const knobScenarios: readonly Scenario[] = knobs.map((knob) =>
  curve({
    name: `knob-${knob.option}`,
    title: `Knob: ${knob.option} (\`${knob.env}\`)`,
    about: knob.about,
    label: knob.unit,
    log: knob.log ?? false,
    points: knob.values.map((x) => ({ x, params: paramsOf(knob, x) })),
  }),
);
