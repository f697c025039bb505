/** The numbers of an engine as they stand: cheap, no I/O. */
import type { Dispatcher } from './dispatch.ts';
import type { LedgerBook } from './ledger.ts';
import type { Parts } from './parts.ts';
import type { Stats } from '../api/report.ts';

export function statsOf({ ring, broker, window, options, signals }: Parts, book: LedgerBook, dispatcher: Dispatcher): Stats {
  const stats = window.stats(Date.now());
  return {
    ...book.snapshot(),
    kind: broker.kind,
    state: signals.current,
    retries: book.retries,
    messages: book.messages,
    bytesOut: book.bytesOut,
    duplicatesBy: { window: book.duplicates - book.brokerDuplicates, broker: book.brokerDuplicates },
    conflicts: book.conflicts,
    workers: options.workers,
    workerCrashes: dispatcher.crashes,
    slabs: { total: ring.layout.slabs, free: ring.freeCount },
    window: stats.ids === 0 ? null : stats,
    path: broker.path,
  };
}
