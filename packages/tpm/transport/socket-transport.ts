import { connect, type Socket } from 'node:net'
import { flushTransientObjects } from '../commands/flush-transient-objects.ts'
import { TpmError } from '../tpm-error.ts'
import { missingBytes, serialised, type TpmTransport } from './transport.ts'

export type SocketTransportOptions = {
  readonly host: string
  readonly port: number
  /** The longest a command may take. Making an RSA key takes seconds, everything else far less. */
  readonly timeoutMs?: number
}

type Pending = { resolve(response: Buffer): void; reject(error: Error): void }

function connected(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, timeout: timeoutMs })
    const fail = (cause: unknown): void => {
      socket.destroy()
      const said = `no TPM at ${host}:${port}`
      reject(new TpmError('tpm-unreachable', said, { remedy: 'start it, or correct the address', retriable: true, cause }))
    }
    socket.once('error', fail)
    socket.once('timeout', () => fail(undefined))
    socket.once('connect', () => {
      socket.removeAllListeners()
      socket.setTimeout(0)
      resolve(socket)
    })
  })
}

/** One response at a time from a stream of bytes; what nobody asked for breaks the line, as it could pass for the next answer. */
class SocketExchange {
  readonly #socket: Socket
  readonly #timeoutMs: number
  #received: Buffer = Buffer.alloc(0)
  #pending: Pending | undefined
  #broken: TpmError | undefined

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (cause) => this.#break('the connection failed', cause))
    socket.on('close', () => this.#break('the TPM closed the connection'))
  }

  run(command: Buffer): Promise<Buffer> {
    if (this.#broken) return Promise.reject(this.#broken)
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#break(`no answer in ${this.#timeoutMs} ms (a swtpm lets a second client wait without a word)`),
        this.#timeoutMs,
      )
      const settled = <Value>(settle: (value: Value) => void) => {
        return (value: Value): void => {
          clearTimeout(timer)
          this.#pending = undefined
          settle(value)
        }
      }
      this.#pending = { resolve: settled(resolve), reject: settled(reject) }
      this.#socket.write(command)
    })
  }

  close(): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.destroy()
    })
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    try {
      const missing = missingBytes(this.#received)
      if (this.#pending && missing > 0) return
      if (this.#pending && missing === 0) {
        const response = this.#received
        this.#received = Buffer.alloc(0)
        this.#pending.resolve(response)
      } else this.#break('bytes came that no command asked for')
    } catch (error) {
      this.#break('what came has no header of a TPM', error)
    }
  }

  #break(said: string, cause?: unknown): void {
    this.#broken ??= new TpmError('tpm-connection-lost', said, { remedy: 'open the transport anew', retriable: true, cause })
    this.#pending?.reject(this.#broken)
    this.#socket.destroy()
  }
}

/**
 * Opens a TPM behind a TCP socket (swtpm). Such a socket serves one client and has no resource manager: objects of a client that
 * is gone keep the three slots, so they are flushed first. Only for a loop-back emulator: the line is neither secret nor authentic.
 */
export async function openSocketTransport({ host, port, timeoutMs = 20_000 }: SocketTransportOptions): Promise<TpmTransport> {
  const exchange = new SocketExchange(await connected(host, port, timeoutMs), timeoutMs)
  const transport = { send: serialised((command) => exchange.run(command)), close: () => exchange.close() }
  try {
    await flushTransientObjects(transport)
  } catch (error) {
    await transport.close()
    throw error
  }
  return transport
}
