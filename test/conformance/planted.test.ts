/** The suite itself on trial: a broker that drops, doubles, reorders, acks early or claims for ever is caught by each promise that should. */
import * as assert from 'uvu/assert';
import type { ConnectOptions, EventProcessor } from '../../src/index.ts';
import { resolveConnect } from '../../src/config/connect-options.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Broker } from '../../src/processors/broker.ts';
import { kindsWith } from '../../src/processors/not-supported.ts';
import { createBroker } from '../../src/processors/registry.ts';
import { timedSuite } from '../harness/timeout.ts';
import { tryPromise, unproven } from './conformance.ts';
import { publishFaults } from './planted/publish-faults.ts';
import { readFaults } from './planted/read-faults.ts';
import { limited } from './planted/wrap.ts';
import type { CapabilityName } from './promised.ts';
import { promiseNamed, promises } from './promises.ts';
import type { Place, Setup } from './setup.ts';
import { embeddedSetup } from './setups/embedded.ts';

const BYTES_MAX = 1_048_576;
/** A correct broker answers within milliseconds; a fault is found by what is missing after this. */
const DEADLINE_MS = 1_500;
const CONTROL_MS = 15_000;

const PlantedSuite = timedSuite('conformance: planted faults', { timeoutMs: 40_000 });
let place: Place;
let trials = 0;
PlantedSuite.before(async () => void (place = await embeddedSetup.start()));
PlantedSuite.after(() => place.stop());

const setupWith = (plant: (inner: Broker) => Broker): Setup => ({
  ...embeddedSetup,
  eventBytesOver: BYTES_MAX,
  open: async (url: string, options: ConnectOptions): Promise<EventProcessor> => {
    const { options: resolved } = resolveConnect(url, options);
    return Engine.open(resolved, { broker: plant(limited(await createBroker(resolved), BYTES_MAX)) });
  },
});

/** Null: the promise holds. */
async function caught(name: string, plant: (inner: Broker) => Broker, deadlineMs: number): Promise<Error | null> {
  try {
    assert.ok(await tryPromise(promiseNamed(name), { setup: setupWith(plant), place, workers: 0, name: `p${++trials}`, deadlineMs }));
    return null;
  } catch (error) {
    return error as Error;
  }
}

const faults = [...publishFaults, ...readFaults];
for (const { name, caughtBy, plant } of faults)
  for (const promised of caughtBy)
    PlantedSuite(`a broker that ${name} is caught by: ${promised}`, async () => {
      let happened = 0;
      const error = await caught(promised, (inner) => plant(inner, () => void (happened += 1)), DEADLINE_MS);
      assert.ok(happened > 0, 'the fault never happened');
      assert.ok(error !== null, 'nobody noticed');
    });

for (const promised of new Set(faults.flatMap(({ caughtBy }) => caughtBy)))
  PlantedSuite(`the same broker without a fault keeps: ${promised}`, async () => {
    const error = await caught(promised, (inner) => inner, CONTROL_MS);
    if (error !== null) throw error;
  });

PlantedSuite('a capability that is declared and not proven is found', () => {
  const all = Object.fromEntries(Object.keys(kindsWith).map((name) => [name, true])) as Record<CapabilityName, boolean>;
  const proven = new Set(promises.flatMap(({ proves = [] }) => proves));
  assert.equal(unproven(all, proven), []);
  proven.delete('nak');
  assert.equal(unproven(all, proven), ['nak']);
  assert.equal(unproven({ ...all, nak: false }, proven), []);
});

PlantedSuite.run();
