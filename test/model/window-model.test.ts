/** Model check of the window's claim by two workers: never two fresh, never a loss, whatever dies or rotates when. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explore } from './explorer.ts';
import { WindowModel } from './window-model.ts';
import type { WindowFault, WindowModelOptions } from './window-model.ts';

const WindowModelSuite = suite('window claims, all interleavings');

for (const crash of [false, true])
  for (const rotations of [0, 1])
    for (const failFirst of [false, true])
      WindowModelSuite(`holds with ${crash ? 'a' : 'no'} death, ${rotations} rotations, ${failFirst ? 'a' : 'no'} failed batch`, () => {
        const { broken, states, ends } = explore(() => new WindowModel({ crash, rotations, failFirst }));
        assert.is(broken, null, `${broken?.why}: ${broken?.schedule.join(' ')}`);
        assert.ok(states > 50 && ends > 0, `${states} states, ${ends} ends`);
      });

const faults: readonly (WindowModelOptions & { readonly fault: WindowFault; readonly why: RegExp })[] = [
  { fault: 'logAfterReserve', crash: true, rotations: 0, failFirst: false, why: /lost|live/ },
  { fault: 'reserveWithoutExchange', crash: false, rotations: 0, failFirst: false, why: /fresh/ },
  { fault: 'publishWithoutExchange', crash: false, rotations: 0, failFirst: false, why: /fresh/ },
  { fault: 'ignoreRotation', crash: false, rotations: 1, failFirst: false, why: /fresh/ },
  { fault: 'currentTableOnly', crash: false, rotations: 1, failFirst: false, why: /fresh/ },
  { fault: 'rollBackOfOthers', crash: true, rotations: 0, failFirst: false, why: /fresh/ },
  { fault: 'watermarkAfterEntry', crash: false, rotations: 0, failFirst: true, why: /lost/ },
];
for (const { why, ...options } of faults)
  WindowModelSuite(`finds the planted fault ${options.fault}`, () => {
    const { broken } = explore(() => new WindowModel(options));
    assert.ok(broken, 'nothing found');
    assert.match(broken.why, why);
  });

WindowModelSuite.run();
