/** The six kinds by name; an adapter, and the client library it needs, is loaded when it is asked for. */
import type { ProcessorKind } from '../api/capabilities.ts';
import type { ResolvedOptions } from '../config/resolved.ts';
import type { Broker } from './broker.ts';

type Loader = (options: ResolvedOptions) => Promise<Broker>;

const loaders: Readonly<Record<ProcessorKind, Loader>> = {
  embedded: async (options) => (await import('./embedded/embedded-broker.ts')).createEmbeddedBroker(options),
  simple: async (options) => (await import('./simple/broker.ts')).createSimpleBroker(options),
  jetstream: async (options) => (await import('./jetstream/broker.ts')).createJetStreamBroker(options),
  dedupe: async (options) => (await import('./dedupe/broker.ts')).createDedupeBroker(options),
  streaming: async (options) => (await import('./streaming/broker.ts')).createStreamingBroker(options),
  kafka: async (options) => (await import('./kafka/broker.ts')).createKafkaBroker(options),
};

export async function createBroker(options: ResolvedOptions): Promise<Broker> {
  return loaders[options.kind](options);
}
