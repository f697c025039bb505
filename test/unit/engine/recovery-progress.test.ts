/** I10: whatever order slabs settle in, the position never passes one that has not, and nothing that was given up moves it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SourceProgress } from '../../../src/engine/checkpoint-progress.ts';
import { FileSource } from '../../../src/engine/source-file.ts';

const SLAB = 10;
const Progresses = suite('progress of a source');
const folder = mkdtempSync(join(tmpdir(), 'millrace-progress-'));
const file = join(folder, 'source');
writeFileSync(file, 'x'.repeat(1_000));
Progresses.after(() => rmSync(folder, { recursive: true }));

async function begin(lastSequence: () => number | null): Promise<SourceProgress> {
  const source = await FileSource.open(file);
  const start = { position: 0, lines: 0, generation: 0, reason: 'fresh' as const };
  const progress = new SourceProgress({ key: 'k', file: source, compressed: false, start, lastSequence });
  progress.begun();
  return progress;
}

Progresses('the position is the lowest unsettled byte, and the sequence is one known before it was sent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ settle: fc.nat(30), acked: fc.nat(3) }), { maxLength: 60 }),
      fc.nat(40),
      async (steps, frozenAt) => {
        let acked = 0;
        const progress = await begin(() => acked);
        const open: { slab: number; sequence: number }[] = [];
        let slab = 0;
        const settledBelow = (): number => open[0]?.slab ?? slab;
        let frozen: number | null = null;
        for (const [index, step] of steps.entries()) {
          acked += step.acked;
          if (index === frozenAt) {
            progress.freeze();
            frozen = settledBelow();
          }
          if (step.settle >= open.length) {
            open.push({ slab, sequence: acked });
            progress.dispatched(slab, (slab + 1) * SLAB);
            slab += 1;
          } else {
            const [done] = open.splice(step.settle, 1);
            progress.released(done!.slab, (done!.slab + 1) * 2);
          }
          const entry = await progress.entry();
          const below = frozen ?? settledBelow();
          if (entry === null) continue;
          assert.is(entry.position, below * SLAB);
          assert.is(entry.lines, below * 2);
          if (frozen === null) assert.is(entry.sequence, open[0]?.sequence ?? acked);
          progress.saved(entry);
          assert.is(await progress.entry(), null);
        }
        await progress.close();
      },
    ),
    { numRuns: 100 },
  );
});

Progresses('nothing is said before what is stored is known, and then the start', async () => {
  const source = await FileSource.open(file);
  const progress = new SourceProgress({
    key: 'k',
    file: source,
    compressed: false,
    start: { position: 40, lines: 4, generation: 2, reason: 'resumed' },
    lastSequence: () => 7,
  });
  assert.is(await progress.entry(), null);
  progress.begun();
  const { position, lines, generation, sequence, hashBefore } = (await progress.entry())!;
  assert.equal({ position, lines, generation, sequence }, { position: 40, lines: 4, generation: 2, sequence: 7 });
  assert.is(hashBefore, await source.hashBefore(40));
  progress.filled();
  assert.ok(progress.done);
  await progress.close();
});

Progresses.run();
