/** The list of kinds that a refusal names says what each adapter declares. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Capabilities } from '../../../src/api/capabilities.ts';
import { jetStreamCapabilities } from '../../../src/processors/jetstream/broker.ts';
import { kafkaCapabilities } from '../../../src/processors/kafka/broker.ts';
import { kindsWith, notSupported } from '../../../src/processors/not-supported.ts';
import { simpleCapabilities } from '../../../src/processors/simple/broker.ts';
import { streamingCapabilities } from '../../../src/processors/streaming/broker.ts';

const NotSupportedSuite = suite('not supported');

const declared = [
  { kind: 'simple', capabilities: simpleCapabilities },
  { kind: 'kafka', capabilities: kafkaCapabilities },
  { kind: 'streaming', capabilities: streamingCapabilities },
  { kind: 'jetstream', capabilities: jetStreamCapabilities },
  { kind: 'dedupe', capabilities: jetStreamCapabilities },
] as const;
for (const { kind, capabilities } of declared)
  NotSupportedSuite(`knows what ${kind} can`, () => {
    for (const [name, able] of Object.entries(capabilities)) assert.is(kindsWith[name as keyof Capabilities].includes(kind), able, name);
  });

NotSupportedSuite('names the kinds that can', () => {
  const error = notSupported('simple', 'extend the ack wait', 'working');
  assert.is(error.code, 'MILLRACE_NOT_SUPPORTED');
  assert.is(error.message, 'simple cannot extend the ack wait; embedded, jetstream, dedupe can');
});

NotSupportedSuite.run();
