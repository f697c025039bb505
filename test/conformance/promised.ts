/** The shape of a promise: a sentence, the capabilities it needs and proves, and how it is tried through the public API. */
import type { Capabilities } from '../../src/index.ts';
import type { Rig } from './rig.ts';

export type CapabilityName = keyof Capabilities;

export interface Promised {
  /** Completes "it …". */
  readonly name: string;
  /** Without one of these it is not tried: what is absent is refused, which `absent.ts` proves. */
  readonly needs?: readonly CapabilityName[];
  /** Those of them that are proven when it holds; may name one that is not needed. */
  readonly proves?: readonly CapabilityName[];
  /** Several readers of one name: where a place has parts, it gets several. */
  readonly shares?: boolean;
  /** Publishes to `setup.subjects` subjects. */
  readonly fills?: boolean;
  /** Ends the broker: tried last, and once. */
  readonly restarts?: boolean;
  /** Has nothing to do with the worker pool: tried with one worker only. */
  readonly once?: boolean;
  run(rig: Rig): Promise<void>;
}
