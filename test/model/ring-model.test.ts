/** Model check of the slab protocol: all interleavings, with a crash at any point; and each planted fault is found. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explore } from './explorer.ts';
import { RingModel } from './ring-model.ts';
import type { RingFault, RingModelOptions } from './ring-model.ts';

const RingModelSuite = suite('slab protocol, all interleavings');

const sound: readonly RingModelOptions[] = [
  { slabs: 2, sequences: 4, crash: false, partial: -1 },
  { slabs: 2, sequences: 3, crash: true, partial: -1 },
  { slabs: 2, sequences: 3, crash: true, partial: 0 },
  { slabs: 2, sequences: 3, crash: true, partial: 1 },
  { slabs: 3, sequences: 3, crash: true, partial: 1 },
  { slabs: 3, sequences: 4, crash: false, partial: 0 },
  { slabs: 4, sequences: 4, crash: false, partial: 1 },
];
for (const options of sound)
  RingModelSuite(`holds for ${JSON.stringify(options)}`, () => {
    const { broken, states, ends, depthMax } = explore(() => new RingModel(options));
    assert.is(broken, null, `${broken?.why}: ${broken?.schedule.join(' ')}`);
    assert.ok(states > 500 && ends > 0 && depthMax > 12, `${states} states, ${ends} ends, ${depthMax} deep`);
  });

const faults: readonly { readonly fault: RingFault; readonly why: RegExp }[] = [
  { fault: 'commitOutOfOrder', why: /committed .*, not/ },
  { fault: 'releaseBeforeAck', why: /are not kept|expected/ },
  { fault: 'resumeBeforeAck', why: /are not kept|expected/ },
  { fault: 'reclaimWithoutStateCheck', why: /are not kept|committed .*, not|expected|not free/ },
  { fault: 'nonAtomicBegin', why: /two hands|not free|expected/ },
  { fault: 'completeBeforeResult', why: /committed .* as/ },
  { fault: 'loseOnCrash', why: /stuck/ },
];
for (const { fault, why } of faults)
  RingModelSuite(`finds the planted fault ${fault}`, () => {
    const { broken } = explore(() => new RingModel({ slabs: 2, sequences: 3, crash: true, partial: 0, fault }));
    assert.ok(broken, 'nothing found');
    assert.match(broken.why, why);
    assert.ok(broken.schedule.length > 0);
  });

RingModelSuite.run();
