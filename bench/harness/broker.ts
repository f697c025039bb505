/** A fresh nats-server for one run: own port, own store on the disk of the temp folder, gone afterwards. */
import { execFileSync } from 'node:child_process';
import { resolveServer } from '../../test/harness/resolve-server.ts';
import { startNatsServer } from '../../test/harness/nats-server.ts';
import type { TestServer } from '../../test/harness/nats-server.ts';
import { Absent } from './types.ts';
import type { Placement } from './types.ts';

const CONFIG = 'max_payload: 8MB\n';
/** Where the broker runs under the placement `split`; the system under test has core 0. */
const BROKER_CORE = '1';

export async function startBroker(placement: Placement, maxPayload: boolean): Promise<TestServer> {
  const found = resolveServer('nats-server', { install: false });
  if (found.path === null) throw new Absent(found.reason);
  const server = await startNatsServer(maxPayload ? { config: CONFIG } : {});
  if (placement === 'split') execFileSync('taskset', ['-a', '-p', '-c', BROKER_CORE, String(server.pid)], { stdio: 'ignore' });
  return server;
}

export function toolPath(): string {
  const found = resolveServer('nats', { install: false });
  if (found.path === null) throw new Absent(found.reason);
  return found.path;
}
