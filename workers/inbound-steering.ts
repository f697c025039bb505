/** What a handler may ask of a broker, on either thread: where it cannot be done, asking is a typed error that names the kinds that can. */
import { MillraceError } from '../src/api/errors.ts';
import type { ProcessorKind } from '../src/api/capabilities.ts';

export type Steering = 'nak' | 'term' | 'working';

/** Made by the main thread, which knows the kinds, and sent to the workers as it is. A message for each that is absent. */
export interface AbsentSteering {
  readonly kind: ProcessorKind;
  readonly messages: Readonly<Partial<Record<Steering, string>>>;
}

/** Throws MILLRACE_NOT_SUPPORTED for what the broker cannot do. A handler that merely throws asks nothing of the broker. */
export function mustSteer({ kind, messages }: AbsentSteering, name: Steering): void {
  const message = messages[name];
  if (message !== undefined) throw new MillraceError('MILLRACE_NOT_SUPPORTED', message, { context: { processor: kind, capability: name } });
}
