/** Every promise that `jetstream` declares, on its real broker. */
import { conformance } from './conformance.ts';
import { jetStreamSetup } from './setups/nats.ts';

conformance(jetStreamSetup);
