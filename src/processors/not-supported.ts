/** Refuses what a broker cannot do, in one manner: a typed error that says what was asked and names the kinds that can. */
import type { Capabilities, ProcessorKind } from '../api/capabilities.ts';
import { MillraceError } from '../api/errors.ts';

const stored: readonly ProcessorKind[] = ['embedded', 'jetstream', 'dedupe', 'streaming', 'kafka'];
const steered: readonly ProcessorKind[] = ['embedded', 'jetstream', 'dedupe'];

/** Written by hand, since the adapters may not know each other; a test compares it with what they declare. */
export const kindsWith: Readonly<Record<keyof Capabilities, readonly ProcessorKind[]>> = {
  persistent: stored,
  ordered: ['embedded', 'simple', 'jetstream', 'dedupe', 'streaming', 'kafka'],
  durable: stored,
  replay: stored,
  dedupe: ['embedded', 'jetstream', 'dedupe'],
  queueGroups: ['embedded', 'simple', 'jetstream', 'dedupe', 'streaming', 'kafka'],
  acks: stored,
  nak: steered,
  term: steered,
  working: steered,
  headers: ['embedded', 'simple', 'jetstream', 'dedupe', 'kafka'],
  wildcards: ['embedded', 'simple', 'jetstream', 'dedupe', 'kafka'],
  sequences: ['embedded', 'jetstream', 'dedupe', 'kafka'],
};

/** `what` completes "simple cannot …". */
export function notSupported(kind: ProcessorKind, what: string, capability: keyof Capabilities): MillraceError {
  return new MillraceError('MILLRACE_NOT_SUPPORTED', `${kind} cannot ${what}; ${kindsWith[capability].join(', ')} can`, {
    context: { processor: kind, capability },
  });
}
