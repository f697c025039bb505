/** Every promise that `kafka` declares, on its real broker; with 0 and 2 workers in kafka-workers.test.ts. */
import { conformance } from './conformance.ts';
import { kafkaSetup } from './setups/kafka.ts';

conformance(kafkaSetup, [1]);
