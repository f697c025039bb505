/** Every promise that `simple` declares, on its real broker. */
import { conformance } from './conformance.ts';
import { simpleSetup } from './setups/nats.ts';

conformance(simpleSetup);
