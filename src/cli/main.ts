#!/usr/bin/env node
/** The `millrace` command: runs one command and ends the process with its exit code, after everything printed has left. */
import { quietLibraries } from './library-noise.ts';
import { stderrLogger } from './log.ts';
import { closeOutput } from './output.ts';
import { run } from './program.ts';

quietLibraries(stderrLogger(process.env['LOG_LEVEL']));

const code = await run(process.argv.slice(2));
await closeOutput();
// A source that is still open (a terminal, a pipe nobody closes) must not hold the process once the work is done.
process.exit(code);
