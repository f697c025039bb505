/** `millrace consume --handler FILE` runs the module on each event, in workers or inline, and ends as it is told. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { runCommand } from '../cli/run-command.ts';
import { Rig, handlerFile } from './rig.ts';

const ConsumeHandler = timedSuite('millrace consume --handler', { timeoutMs: 60_000 });
let rig: Rig;
ConsumeHandler.before.each(async () => {
  rig = await Rig.start('embedded');
  const processor = await rig.connect();
  await rig.store(processor, [{ n: 1 }, { n: 2, act: 'throw' }, { n: 3 }]);
  await processor.close();
});
ConsumeHandler.after.each(() => rig.stop());

for (const workers of ['0', '2'])
  ConsumeHandler(`ends when nothing came for a while, with ${workers} workers`, async () => {
    const args = [
      'consume',
      '--from',
      rig.url,
      '--handler',
      `${handlerFile}#handle`,
      '--durable',
      'd',
      '--idle-timeout',
      '500ms',
      '--workers',
      workers,
    ];
    const { code, stdout, stderr } = await runCommand([...args, '--dead-letters', rig.letters, '--json'], { cwd: rig.folder });
    assert.is(code, 0, stderr);
    assert.is(stdout, '');
    assert.equal(
      rig.numbers.toSorted((a, b) => a - b),
      [1, 2, 2, 2, 2, 2, 3],
    );
    assert.is((JSON.parse(stderr.trim().split('\n').at(-1)!) as { events: number }).events, 7);
    assert.is((await rig.deadLetters(1))[0]!.reason, 'handler');
    const again = await runCommand([...args, '--json'], { cwd: rig.folder });
    assert.is(again.code, 0, again.stderr);
    assert.is(rig.numbers.length, 7);
  });

ConsumeHandler('drains on a signal', async () => {
  const { code, stderr } = await runCommand(
    ['consume', '--from', rig.url, '--handler', `${handlerFile}#handle`, '--dead-letters', 'off', '--verbose'],
    {
      cwd: rig.folder,
      onStarted: (child) => {
        const timer = setInterval(() => {
          if (rig.numbers.length < 3) return;
          clearInterval(timer);
          child.kill('SIGTERM');
        }, 10);
      },
    },
  );
  assert.is(code, 143, stderr);
  assert.equal(
    rig.numbers.toSorted((a, b) => a - b),
    [1, 2, 2, 2, 2, 2, 3],
  );
});

ConsumeHandler('a module that has no such export is one clear error', async () => {
  const { code, stderr } = await runCommand(['consume', '--from', rig.url, '--handler', `${handlerFile}#nothing`], { cwd: rig.folder });
  assert.is(code, 1);
  assert.match(stderr, /exports no handler named nothing; it exports handle, seenIn/);
});
ConsumeHandler.run();
