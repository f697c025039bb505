/** Every promise that `embedded` declares, on its real broker. */
import { conformance } from './conformance.ts';
import { embeddedSetup } from './setups/embedded.ts';

conformance(embeddedSetup);
