/** Every promise that `kafka` declares, on its real broker. */
import { conformance } from './conformance.ts';
import { kafkaSetup } from './setups/kafka.ts';

conformance(kafkaSetup);
