/** Every promise that `streaming` declares, on its real broker. */
import { conformance } from './conformance.ts';
import { streamingSetup } from './setups/streaming.ts';

conformance(streamingSetup);
