/** The ledger, the report of an ingest, progress, stats and health. */
import type { Framing } from './event.ts';
import type { ProcessorKind } from './capabilities.ts';

/** At any quiet moment: accepted = acked + duplicates + rejected + failed + dropped + inFlight. */
export interface Ledger {
  readonly accepted: number;
  readonly acked: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly failed: number;
  /** How many of `failed` may have been stored. */
  readonly unknown: number;
  readonly dropped: number;
  readonly inFlight: number;
}

/** Keys and order are fixed by the contract; all are always there. */
export interface IngestReport extends Ledger {
  readonly version: string;
  readonly to: string;
  readonly processor: ProcessorKind;
  readonly workers: number;
  readonly framing: Framing;
  readonly retries: number;
  readonly messages: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly elapsedMs: number;
  readonly eventsPerSecond: number;
  readonly cpuSeconds: number;
  readonly eventLoop: { readonly utilization: number; readonly delayP99Ms: number };
  /** Where it resumed, or null: a byte offset of the first source, in words. */
  readonly resumedFrom: string | null;
  /** Where rejects and failures were written, or null when there were none. */
  readonly deadLetters: string | null;
}

export interface Progress extends Ledger {
  readonly bytesIn: number;
  /** Size of all sources, or null when one is not a file. */
  readonly bytesTotal: number | null;
  readonly elapsedMs: number;
  readonly eventsPerSecond: number;
}

export interface WindowStats {
  readonly capacity: number;
  readonly ids: number;
  readonly bytes: number;
  /** How far back an id is surely known, in milliseconds; shorter than asked for when the window ran full. */
  readonly effectiveMs: number;
  /** Times a generation was given up before its time. */
  readonly earlyRotations: number;
}

export interface Stats extends Ledger {
  readonly kind: ProcessorKind;
  readonly state: ProcessorState;
  readonly retries: number;
  readonly messages: number;
  readonly bytesOut: number;
  readonly duplicatesBy: { readonly window: number; readonly broker: number };
  /** One id seen with two different bodies. */
  readonly conflicts: number;
  readonly workers: number;
  readonly workerCrashes: number;
  readonly slabs: { readonly total: number; readonly free: number };
  readonly window: WindowStats | null;
  /** How messages are published: `multiplexer`, `fast-ingest`, `flush`, `lmdb` … */
  readonly path: string;
}

export type ProcessorState = 'opening' | 'open' | 'reconnecting' | 'draining' | 'closed';

export interface Health {
  readonly ok: boolean;
  readonly state: ProcessorState;
  /** Round trip to the broker in milliseconds; null when it did not answer. */
  readonly rttMs: number | null;
  readonly server: string | null;
  /** Why it is not ok, in plain words. */
  readonly reasons: readonly string[];
}
