/** A fresh server for one run: own port, own store on the disk of the temp folder, gone afterwards. */
import { execFileSync } from 'node:child_process';
import { resolveServer } from '../../test/harness/resolve-server.ts';
import { startKafka } from '../../test/harness/kafka-server.ts';
import { startNatsServer } from '../../test/harness/nats-server.ts';
import { STAN_CLUSTER, startStanServer } from '../../test/harness/stan-server.ts';
import { Absent } from './types.ts';
import { startSink } from './sink-process.ts';
import type { BrokerKind, Placement } from './types.ts';

const CONFIG = 'max_payload: 8MB\n';
/** Where the broker runs under the placement `split`; the system under test has core 0. */
const BROKER_CORE = '1';
/** Of util-linux. */
export const PIN = 'taskset';

export interface Broker {
  /** `nats://127.0.0.1:port`, `kafka://127.0.0.1:port`. */
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startBroker(kind: BrokerKind, placement: Placement, maxPayload = false): Promise<Broker> {
  const broker = await starts[kind](maxPayload);
  if (placement === 'split') execFileSync(PIN, ['-a', '-p', '-c', BROKER_CORE, String(broker.pid)], { stdio: 'ignore' });
  return broker;
}

const starts: Readonly<Record<BrokerKind, (maxPayload: boolean) => Promise<Broker>>> = {
  jetstream: startNatsBroker,
  kafka: startKafkaBroker,
  streaming: startStanBroker,
  sink: startSink,
};

async function startNatsBroker(maxPayload: boolean): Promise<Broker> {
  present('nats-server');
  return startNatsServer(maxPayload ? { config: CONFIG } : {});
}

async function startKafkaBroker(): Promise<Broker> {
  present('kafka');
  const server = await startKafka();
  return { url: `kafka://${server.address}`, pid: server.pid, stop: () => server.stop() };
}

async function startStanBroker(): Promise<Broker> {
  present('nats-streaming-server');
  const server = await startStanServer();
  return { url: `stan://${server.address}/${STAN_CLUSTER}`, pid: server.pid, stop: () => server.stop() };
}

function present(name: 'nats-server' | 'kafka' | 'nats-streaming-server' | 'nats'): string {
  const found = resolveServer(name, { install: false });
  if (found.path === null) throw new Absent(found.reason);
  return found.path;
}

export function toolPath(): string {
  return present('nats');
}
