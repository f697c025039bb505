/** Commands that are named and not built: each says so in one clear error. A command leaves this list when its file is added to `program.ts`. */
import type { Command } from 'commander';
import { MillraceError } from '../api/errors.ts';

export const commandsNotYet = ['serve', 'doctor', 'bench'] as const;

export function addNotYet(program: Command): void {
  for (const name of commandsNotYet) {
    program
      .command(name, { hidden: true })
      .allowUnknownOption()
      .allowExcessArguments()
      .helpOption(false)
      .action(() => {
        throw new MillraceError('MILLRACE_USAGE', `"millrace ${name}" is not in this version`);
      });
  }
}
