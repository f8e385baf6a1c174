import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startup } from '../commands/startup.ts'
import { u16, u32 } from '../structures/bytes.ts'
import { openDeviceTransport } from './device-transport.ts'
import { openSocketTransport } from './socket-transport.ts'
import type { TpmTransport } from './transport.ts'

const success = Buffer.concat([u16(0x8001), u32(10), u32(0)])
const noHandles = Buffer.concat([u16(0x8001), u32(19), u32(0), Buffer.from([0]), u32(1), u32(0)])
const getCapability = 0x17a
const command = Buffer.concat([u16(0x8001), u32(12), u32(0x145), u16(0)])

let server: Server | undefined
const sockets: Socket[] = []
const transports: TpmTransport[] = []

/** A TPM that answers the opening's questions, and every other command as the test wants. */
async function tpmThat(answer: (socket: Socket, command: Buffer) => void, timeoutMs = 2000): Promise<TpmTransport> {
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) =>
      bytes.readUInt32BE(6) === getCapability ? socket.write(noHandles) : answer(socket, bytes),
    )
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const transport = await openSocketTransport({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, timeoutMs })
  transports.push(transport)
  return transport
}

afterEach(async () => {
  for (const transport of transports.splice(0)) await transport.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})

describe('a TPM behind a socket', () => {
  it('answers in pieces as it likes', async () => {
    const transport = await tpmThat((socket) => {
      for (const byte of success) socket.write(Buffer.from([byte]))
    })
    expect(await transport.send(command)).toEqual(success)
  })

  it('gets one command at a time', async () => {
    let open = 0
    let openMost = 0
    const transport = await tpmThat((socket) => {
      openMost = Math.max(openMost, ++open)
      setTimeout(() => {
        open--
        socket.write(success)
      }, 2)
    })
    await Promise.all(Array.from({ length: 10 }, () => transport.send(command)))
    expect(openMost).toBe(1)
  })

  it.each([
    ['more than one response', Buffer.concat([success, Buffer.from([0])])],
    ['a response of 4 GB', Buffer.concat([u16(0x8001), u32(0xffff_ffff), u32(0)])],
    ['a response of 4,097 bytes', Buffer.concat([u16(0x8001), u32(4097), u32(0)])],
    ['a response shorter than its header', Buffer.concat([u16(0x8001), u32(9), u32(0)])],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('is not listened to any more when it sends %s', async (_, bytes) => {
    const transport = await tpmThat((socket) => socket.write(bytes))
    await expect(transport.send(command)).rejects.toMatchObject({ code: 'tpm-connection-lost', retriable: true })
    await expect(transport.send(command)).rejects.toMatchObject({ code: 'tpm-connection-lost' })
  })

  it('is given up after the time-out, so that a late answer is not taken for the next one', async () => {
    const transport = await tpmThat((socket) => setTimeout(() => socket.write(success), 200), 50)
    await expect(transport.send(command)).rejects.toThrow(/no answer in 50 ms/)
    await expect(transport.send(command)).rejects.toMatchObject({ code: 'tpm-connection-lost' })
  })

  it('that speaks unasked is not listened to', async () => {
    const transport = await tpmThat(() => undefined)
    sockets[0]?.write(success)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(transport.send(command)).rejects.toThrow(/no command asked for/)
  })

  it('that goes away fails the command under way', async () => {
    const transport = await tpmThat((socket) => socket.destroy())
    await expect(transport.send(command)).rejects.toMatchObject({ code: 'tpm-connection-lost', retriable: true })
  })

  it('that is not there is named with its address', async () => {
    await expect(openSocketTransport({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({
      code: 'tpm-unreachable',
      retriable: true,
    })
  })

  it('gets a command again that it had no time to begin, and an answer that is none is thrown', async () => {
    let sent = 0
    const retry = Buffer.concat([u16(0x8001), u32(10), u32(0x922)])
    const busy = await tpmThat((socket) => socket.write(++sent < 3 ? retry : success))
    await startup(busy)
    expect(sent).toBe(3)
  })

  it('that never has time is given up', async () => {
    const retry = Buffer.concat([u16(0x8001), u32(10), u32(0x922)])
    const busy = await tpmThat((socket) => socket.write(retry))
    await expect(startup(busy)).rejects.toMatchObject({ code: 'tpm-retry', retriable: true })
  })
})

describe('a TPM device file', () => {
  it('gets a command in one write and is read once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'interlock-tpm-device-'))
    const path = join(directory, 'echo')
    // A pipe opened for reading and writing gives back what was written: a device whose response is the command.
    execFileSync('mkfifo', [path])
    const transport = await openDeviceTransport(path)
    try {
      const [first, second] = await Promise.all([transport.send(command), transport.send(success)])
      expect(first).toEqual(command)
      expect(second).toEqual(success)
      await expect(transport.send(command.subarray(0, 8))).rejects.toMatchObject({ code: 'tpm-bad-response' })
    } finally {
      await transport.close()
      rmSync(directory, { recursive: true })
    }
  })

  it('that is not there is named with its path', async () => {
    await expect(openDeviceTransport('/nowhere/tpmrm0')).rejects.toMatchObject({ code: 'tpm-unreachable', retriable: false })
  })
})
