/** The promises of `kafka` that its workers have a part in, inline and with two. */
import { conformance } from './conformance.ts';
import { kafkaSetup } from './setups/kafka.ts';

conformance(kafkaSetup, [0, 2]);
