/** Every promise that `dedupe` declares, on its real broker. */
import { conformance } from './conformance.ts';
import { dedupeSetup } from './setups/nats.ts';

conformance(dedupeSetup);
