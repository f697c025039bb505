/** The one place that names the NATS client library: connections and the processors on NATS take its types and calls from here. */
export { connect, createInbox, credsAuthenticator, nkeyAuthenticator, nkeys } from 'nats';
export type {
  Authenticator,
  ConnectionOptions as NatsOptions,
  ConsumerConfig,
  ConsumerInfo,
  JetStreamManager,
  Msg,
  NatsConnection,
  Status,
  StreamConfig,
  StreamInfo,
  Subscription,
  TlsOptions,
} from 'nats';
