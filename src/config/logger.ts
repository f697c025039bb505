/** The logger of a processor that was given none: it takes everything and says nothing. */
import type { Logger } from './resolved.ts';

const nothing = (): void => {};

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
