/** Runs an engine on a fake broker: publishes what it is told, waits until every promise has settled, closes the ledger. */
import { setImmediate as turn } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { resolveConnect } from '../../../src/config/connect-options.ts';
import type { ConnectOptions } from '../../../src/config/table.ts';
import type { MillraceError } from '../../../src/api/errors.ts';
import type { Ledger } from '../../../src/api/report.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { within } from '../../harness/timeout.ts';
import type { FakeBroker } from './fake-broker.ts';
import type { Attempt } from './fault-judge.ts';

export interface Planned {
  readonly subject: number;
  /** Null = none. */
  readonly id: number | null;
  readonly bytes: number;
  /** Let the event loop turn before it. */
  readonly pause: boolean;
}

const SETTLE_MS_MAX = 15_000;

/** A small ring, so that few events fill it; no dead letter folder. */
export function openOn(broker: FakeBroker, options: ConnectOptions = {}): Promise<Engine> {
  const resolved = resolveConnect('embedded:none', {
    workers: 0,
    slabs: 3,
    slabBytes: 4_096,
    maxEventBytes: 65_536,
    dedupeCapacity: 16_384,
    backoff: 1,
    backoffMax: 4,
    maxAttempts: 3,
    deadLetters: 'off',
    env: {},
    ...options,
  });
  return Engine.open(resolved.options, { broker });
}

export function closes(ledger: Ledger): void {
  assert.is(
    ledger.accepted,
    ledger.acked + ledger.duplicates + ledger.rejected + ledger.failed + ledger.dropped + ledger.inFlight,
    JSON.stringify(ledger),
  );
}

/** Publishes all of it, at most in bursts; every outcome is in the attempts afterwards. */
export async function publishAll(engine: Engine, planned: readonly Planned[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const promises: Promise<void>[] = [];
  for (const [n, { subject, id, bytes, pause }] of planned.entries()) {
    if (pause) await turn();
    const attempt: Attempt = {
      n,
      subject: `s.${subject}`,
      id: id === null ? null : `id-${id}`,
      event: { n, pad: 'x'.repeat(bytes) },
      outcome: 'pending',
    };
    attempts.push(attempt);
    const receipt = engine.publish(attempt.subject, attempt.event, attempt.id === null ? {} : { id: attempt.id });
    promises.push(
      receipt.then(
        ({ duplicate }) => void (attempt.outcome = duplicate ? 'duplicate' : 'acked'),
        (error: MillraceError) => void (attempt.outcome = error.outcome === 'unknown' ? 'unknown' : 'failed'),
      ),
    );
  }
  await within('every publish settles', SETTLE_MS_MAX, () => Promise.all(promises)).catch(() => undefined); // The judge says which did not.
  return attempts;
}

/** The ledger and the promises tell the same story. */
export function agrees(ledger: Ledger, attempts: readonly Attempt[]): void {
  const count = (...outcomes: Attempt['outcome'][]): number => attempts.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const { accepted, acked, duplicates, failed, unknown, inFlight } = ledger;
  closes(ledger);
  assert.equal(
    { accepted, acked, duplicates, failed, unknown, inFlight },
    {
      accepted: attempts.length,
      acked: count('acked'),
      duplicates: count('duplicate'),
      failed: count('failed', 'unknown'),
      unknown: count('unknown'),
      inFlight: 0,
    },
  );
}
