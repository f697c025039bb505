/** A real Kafka broker of this test only: KRaft, one JVM, formatted on its own folder; starting takes seconds, so share one per test file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { requireServer } from './resolve-server.ts';
import { SpawnedServer } from './spawned-server.ts';

const START_MS_MAX = 60_000;
const TOOL_MS_MAX = 60_000;
const HEAP = '-Xmx512m';

export class KafkaServer extends SpawnedServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly port: number;
  /** Port of the cluster's controller. */
  readonly controller: number;
  readonly #jars: string;

  constructor(jars: string, { port, controller }: { readonly port: number; readonly controller: number }) {
    super({
      name: 'kafka',
      command: 'java',
      args: (folder) => [HEAP, '-cp', join(jars, '*'), 'kafka.Kafka', propertiesFile(folder)],
      ready: () => answers(port),
      startMsMax: START_MS_MAX,
    });
    this.port = port;
    this.controller = controller;
    this.address = `127.0.0.1:${port}`;
    this.#jars = jars;
  }

  /** Writes the configuration and formats the store. */
  format(settings: Readonly<Record<string, string>>, args: readonly string[] = []): void {
    mkdirSync(this.folder, { recursive: true });
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(propertiesFile(this.folder), `${lines.join('\n')}\n`);
    this.tool('kafka.tools.StorageTool', ['format', '-t', CLUSTER, '-c', propertiesFile(this.folder), ...args]);
  }

  /** Runs one of Kafka's own tools from the server's jars, and gives what it printed. */
  tool(main: string, args: readonly string[], input?: string): string {
    const command = ['-Xmx256m', '-cp', join(this.#jars, '*'), main, ...args];
    return execFileSync('java', command, {
      encoding: 'utf8',
      timeout: TOOL_MS_MAX,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(input === undefined ? {} : { input }),
    });
  }
}

const CLUSTER = 'TWlsbHJhY2UtVGVzdC0wMQ';
const propertiesFile = (folder: string): string => join(folder, 'server.properties');

/** ApiVersions 0 without a client id: answered as soon as the broker takes requests. */
const API_VERSIONS = Buffer.from('0000000a0012000000000001ffff', 'hex');
const ANSWER_MS_MAX = 2_000;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => (socket.localPort === port ? end(false) : socket.write(API_VERSIONS)));
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(ANSWER_MS_MAX, () => end(false));
    // A connect to a free port of the ephemeral range may meet itself, and hear its own question.
    socket
      .once('data', (data) => end(!data.equals(API_VERSIONS)))
      .once('error', () => end(false))
      .once('close', () => resolve(false));
  });
}

export interface KafkaOptions {
  /** Win over those that make one node start clean. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The second broker of that one's cluster, without a controller of its own. */
  readonly joins?: KafkaServer;
  /** Clients must log in as this user, by this mechanism. */
  readonly login?: { readonly user: string; readonly password: string; readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' };
}

export async function startKafka({ settings = {}, login, joins }: KafkaOptions = {}): Promise<KafkaServer> {
  const jars = requireServer('kafka');
  if (jars === null) throw new Error('call requireServer before startKafka');
  const port = await freePort();
  const controller = joins?.controller ?? (await freePort());
  const server = new KafkaServer(jars, { port, controller });
  const listener = login === undefined ? 'PLAINTEXT' : 'SASL';
  const scram =
    login?.mechanism === 'SCRAM-SHA-256' ? ['--add-scram', `SCRAM-SHA-256=[name=${login.user},password=${login.password}]`] : [];
  server.format(
    {
      'process.roles': joins === undefined ? 'broker,controller' : 'broker',
      'node.id': joins === undefined ? '1' : '2',
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `${listener}://127.0.0.1:${port}${joins === undefined ? `,CONTROLLER://127.0.0.1:${controller}` : ''}`,
      'advertised.listeners': `${listener}://127.0.0.1:${port}`,
      'inter.broker.listener.name': listener,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT',
      'log.dirs': join(server.folder, 'data'),
      ...ONE_NODE,
      ...(login === undefined ? {} : loginSettings(login)),
      ...settings,
    },
    scram,
  );
  await server.restart();
  return server;
}

const ONE_NODE: Readonly<Record<string, string>> = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'auto.create.topics.enable': 'false',
  // A killed broker's registration must lapse before it may come back.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
};

function loginSettings({ user, password, mechanism }: NonNullable<KafkaOptions['login']>): Record<string, string> {
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}" username="${user}" password="${password}";`;
  const module = mechanism === 'PLAIN' ? plain : 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    'sasl.enabled.mechanisms': mechanism,
    'sasl.mechanism.inter.broker.protocol': mechanism,
    [`listener.name.sasl.${mechanism.toLowerCase()}.sasl.jaas.config`]: module,
  };
}
