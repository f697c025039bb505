/** What the parts of one engine share; made once in engine.ts, nothing global. */
import type { Refusals } from './refusals.ts';
import type { Signals } from './signals.ts';
import type { ResolvedOptions } from '../config/resolved.ts';
import type { Ring } from '../memory/ring.ts';
import type { DedupeWindow } from '../memory/window.ts';
import type { Broker } from '../processors/broker.ts';

export interface Parts {
  readonly ring: Ring;
  readonly broker: Broker;
  readonly window: DedupeWindow;
  readonly options: ResolvedOptions;
  readonly signals: Signals;
  readonly refusals: Refusals;
}
