/** The one place that loads the Kafka client: an optional peer, so it is loaded only when a `kafka:` URL asks for it. */
import type * as Library from '@platformatic/kafka';
import { MillraceError } from '../../api/errors.ts';

export type { Admin, Consumer, Producer } from '@platformatic/kafka';

/** What of the library is used. */
export type KafkaLibrary = Pick<
  typeof Library,
  'Admin' | 'Consumer' | 'Producer' | 'compressionsAlgorithms' | 'ConfigResourceTypes' | 'FetchIsolationLevels' | 'ListOffsetTimestamps'
>;

export async function loadKafkaLibrary(load: () => Promise<unknown> = () => import('@platformatic/kafka')): Promise<KafkaLibrary> {
  try {
    return (await load()) as KafkaLibrary;
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_MISSING_PACKAGE',
      'kafka: URLs need the package @platformatic/kafka: npm install @platformatic/kafka',
      {
        cause: error,
        context: { processor: 'kafka', package: '@platformatic/kafka' },
      },
    );
  }
}
