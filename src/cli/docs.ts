/** `millrace docs options` (hidden): prints docs/configuration.md from the option table. */
import type { Command } from 'commander';
import { configurationPage } from '../config/option-docs.ts';
import { writeOutput } from './output.ts';

export function addDocs(program: Command, done: (code: number) => void): void {
  const docs = program.command('docs', { hidden: true }).description('Prints pages of the documentation that are made from the code.');
  docs
    .command('options')
    .description('docs/configuration.md')
    .action(async () => {
      await writeOutput(configurationPage());
      done(0);
    });
}
