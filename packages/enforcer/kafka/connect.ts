import { connect } from 'node:net'
import kafkajs, { type Kafka as Client, type ISocketFactory, type LogEntry, logLevel } from 'kafkajs'

/** A small request must leave at once, not wait for the acknowledgement of the one before (Nagle). */
const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
  const socket = connect({ host, port }, onConnect)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)
  return socket
}

/** The client of one process. What kafkajs logs is for who debugs it: the runner says itself when the broker is away. */
export function connectKafka(clientId: string, brokers: readonly string[], debug: (entry: LogEntry) => void): Client {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    socketFactory,
    connectionTimeout: 3000,
    requestTimeout: 30_000,
    logLevel: logLevel.INFO,
    logCreator: () => debug,
  })
}
