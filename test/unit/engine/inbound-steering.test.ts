/** nak, term and working where the broker has none: an error of the call on either thread, that names the kinds that can and settles nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Delivery } from '../../../src/api/event.ts';
import { EventDelivery } from '../../../src/engine/delivery.ts';
import type { OpenedMessage } from '../../../src/engine/delivery.ts';
import { absentSteering } from '../../../src/engine/inbound-request.ts';
import { jetStreamCapabilities } from '../../../src/processors/jetstream/broker.ts';
import { WorkerDelivery } from '../../../workers/inbound-delivery.ts';
import type { MessageAtWork } from '../../../workers/inbound-delivery.ts';
import { mustSteer } from '../../../workers/inbound-steering.ts';
import type { AbsentSteering, Steering } from '../../../workers/inbound-steering.ts';

const calls = ['nak', 'term', 'working'] as const;
const source = { events: { eventAt: () => 1 } } as unknown;

/** What a delivery tells, in order. */
function deliveriesWith(absent: AbsentSteering): { readonly name: string; readonly delivery: Delivery; readonly told: string[] }[] {
  const onMain: string[] = [];
  const inWorker: string[] = [];
  const must = { mustSteer: (name: Steering) => mustSteer(absent, name) };
  const main = new EventDelivery(source as OpenedMessage, 0, {
    ...must,
    acked: () => void onMain.push('ack'),
    failed: () => void onMain.push('failed'),
    working: () => void onMain.push('working'),
  });
  const worker = new WorkerDelivery(source as MessageAtWork, 0, {
    ...must,
    nak: () => void inWorker.push('failed'),
    term: () => void inWorker.push('failed'),
    threw: () => void inWorker.push('threw'),
    working: () => void inWorker.push('working'),
  });
  return [
    { name: 'on main', delivery: main, told: onMain },
    { name: 'in a worker', delivery: worker, told: inWorker },
  ];
}

const SteeringSuite = suite('Steering');

SteeringSuite('what is absent is refused, in words that name the kinds that can', () => {
  const absent = absentSteering({ kind: 'kafka', capabilities: { ...jetStreamCapabilities, nak: false, term: false, working: false } });
  for (const { name, delivery, told } of deliveriesWith(structuredClone(absent))) {
    for (const call of calls)
      assert.throws(
        () => delivery[call](),
        (error: { readonly code: string; readonly message: string; readonly context: unknown }) =>
          error.code === 'MILLRACE_NOT_SUPPORTED' && /^kafka cannot .*; embedded, jetstream, dedupe can$/.test(error.message),
        `${call} ${name}`,
      );
    assert.equal(told, [], name);
  }
});

SteeringSuite('what is there goes through, and the first counts', () => {
  for (const { name, delivery, told } of deliveriesWith(absentSteering({ kind: 'jetstream', capabilities: jetStreamCapabilities }))) {
    delivery.working();
    delivery.nak();
    delivery.term();
    assert.equal(told, ['working', 'failed'], name);
  }
});
SteeringSuite.run();
