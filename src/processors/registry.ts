/** The six kinds by name; an adapter, and the client library it needs, is loaded when it is asked for. */
import { processorKinds } from '../api/capabilities.ts';
import type { ProcessorKind } from '../api/capabilities.ts';
import { MillraceError } from '../api/errors.ts';
import type { ResolvedOptions } from '../config/resolved.ts';
import type { Broker } from './broker.ts';

type Loader = (options: ResolvedOptions) => Promise<Broker>;

const loaders: Readonly<Record<ProcessorKind, Loader>> = {
  embedded: async (options) => (await import('./embedded/embedded-broker.ts')).createEmbeddedBroker(options),
  simple: async (options) => (await import('./simple/broker.ts')).createSimpleBroker(options),
  jetstream: async (options) => (await import('./jetstream/broker.ts')).createJetStreamBroker(options),
  dedupe: async (options) => (await import('./dedupe/broker.ts')).createDedupeBroker(options),
  streaming: notYet,
  kafka: notYet,
};

export async function createBroker(options: ResolvedOptions): Promise<Broker> {
  return loaders[options.kind](options);
}

async function notYet({ kind }: ResolvedOptions): Promise<Broker> {
  throw new MillraceError('MILLRACE_NOT_SUPPORTED', `${kind} is not in this version; use one of ${processorKinds.filter((name) => loaders[name] !== notYet).join(', ')}`);
}
