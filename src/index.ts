/** The public surface of Millrace: everything here is stable, nothing else is. */
import { resolveConnect } from './config/connect-options.ts';
import type { ConnectOptions } from './config/table.ts';
import { Engine } from './engine/engine.ts';
import type { EventProcessor } from './api/processor.ts';

/**
 * Opens a processor by URL (`nats+jetstream://127.0.0.1:4222/EVENTS`) or by kind (`jetstream`, with its place among the options).
 * Rejects with one MILLRACE_CONFIG that lists every fault of the options, or with what kept it from connecting.
 */
export async function connect(target: string, options: ConnectOptions = {}): Promise<EventProcessor> {
  const { dryRun = false, signal, ...named } = options;
  const { options: resolved, warnings } = resolveConnect(target, named);
  for (const warning of warnings) resolved.logger.warn({}, warning);
  return Engine.open(resolved, { dryRun, signal });
}

export { processorKinds } from './api/capabilities.ts';
export type { Capabilities, ProcessorKind } from './api/capabilities.ts';
export type { ErrorCode } from './api/error-codes.ts';
export { MillraceError } from './api/errors.ts';
export type { ErrorContext, FailureOutcome } from './api/errors.ts';
export type {
  Delivery,
  Framing,
  Handler,
  Headers,
  ModuleReference,
  PublishOptions,
  Receipt,
  Transform,
  TransformContext,
  WorkerHandler,
} from './api/event.ts';
export type {
  DrainOptions,
  Format,
  IdRule,
  IngestOptions,
  OnFull,
  ReplayOptions,
  Source,
  StartPosition,
  SubscribeOptions,
} from './api/options.ts';
export type { EventProcessor, ProcessorEvents, Subscription } from './api/processor.ts';
export type { Health, IngestReport, Ledger, ProcessorState, Progress, Stats, WindowStats } from './api/report.ts';
export type { StandardSchema } from './api/standard-schema.ts';
export { unpackValue as decodeEvent } from './codec/msgpack.ts';
export { toJsonLine } from './codec/ndjson-line.ts';
export type { Logger } from './config/resolved.ts';
export type { ConnectOptions } from './config/table.ts';
export type { Compaction } from './processors/embedded/compact.ts';
export type { DurableInfo, StoreInfo } from './processors/embedded/info.ts';
export { backupStore, compactStore, storeInfo } from './processors/embedded/upkeep.ts';
