import { setTimeout } from 'node:timers/promises'
import { ByteReader, MalformedBytes } from '../structures/byte-reader.ts'
import { sized, u8, u16, u32 } from '../structures/bytes.ts'
import { responseError, TpmError } from '../tpm-error.ts'
import { headerBytes, type TpmTransport } from '../transport/transport.ts'

/** TPM_CC and the name of the command in errors. */
export const commandCodes = {
  EvictControl: 0x120,
  CreatePrimary: 0x131,
  Startup: 0x144,
  Shutdown: 0x145,
  ActivateCredential: 0x147,
  Certify: 0x148,
  GetTime: 0x14c,
  NV_Read: 0x14e,
  PolicySecret: 0x151,
  Create: 0x153,
  Load: 0x157,
  Quote: 0x158,
  Sign: 0x15d,
  FlushContext: 0x165,
  NV_ReadPublic: 0x169,
  PolicyOR: 0x171,
  ReadPublic: 0x173,
  StartAuthSession: 0x176,
  GetCapability: 0x17a,
  GetRandom: 0x17b,
  Hash: 0x17d,
  PCR_Read: 0x17e,
  PCR_Extend: 0x182,
} as const
export type CommandName = keyof typeof commandCodes

/** TPM_RH_* and other handles that every TPM has. */
export const handle = { owner: 0x4000_0001, null: 0x4000_0007, endorsement: 0x4000_000b } as const

/** How a handle is authorised: by its authorisation value, or by a policy session. */
export type Authorisation = { readonly session: number; readonly value: Uint8Array }

/** TPM_RS_PW. Every object made here has an empty authorisation value: who can reach the TPM can use its keys, as with any local key. */
export const emptyPassword: Authorisation = { session: 0x4000_0009, value: Buffer.alloc(0) }
export const policySession = (session: number): Authorisation => ({ session, value: Buffer.alloc(0) })

export type Command = {
  readonly name: CommandName
  readonly handles?: readonly number[]
  /** One for each handle that needs it, in their order. */
  readonly authorisations?: readonly Authorisation[]
  readonly parameters?: readonly Uint8Array[]
  /** Whether the response begins with a handle. */
  readonly hasResponseHandle?: boolean
}

export type Response = { readonly handle: number; readonly parameters: ByteReader }

const tag = { noSessions: 0x8001, sessions: 0x8002 } as const
const continueSession = 1

/** A session area (part 1, 18.4). Policy sessions here carry no HMAC: their policies demand none. */
function authorisationArea(authorisations: readonly Authorisation[]): Buffer {
  const each = authorisations.flatMap(({ session, value }) => [u32(session), u16(0), u8(continueSession), sized(value)])
  const area = Buffer.concat(each)
  return Buffer.concat([u32(area.length), area])
}

function commandBytes(command: Command): Buffer {
  const { authorisations = [], handles = [], parameters = [] } = command
  const sessions = authorisations.length > 0 ? [authorisationArea(authorisations)] : []
  const body = Buffer.concat([...handles.map(u32), ...sessions, ...parameters])
  const header = [
    u16(sessions.length > 0 ? tag.sessions : tag.noSessions),
    u32(headerBytes + body.length),
    u32(commandCodes[command.name]),
  ]
  return Buffer.concat([...header, body])
}

/** TPM_RC_YIELDED, _TESTING, _RETRY: the TPM did not begin the command, so it is sent again (part 3, 5.8). */
const notBegun = new Set([0x908, 0x90a, 0x922])
const attemptsMax = 8
const pauseMs = 20

async function answered(transport: TpmTransport, bytes: Buffer): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    const response = await transport.send(bytes)
    if (response.length < headerBytes || !notBegun.has(response.readUInt32BE(6)) || attempt === attemptsMax) return response
    await setTimeout(pauseMs * attempt)
  }
}

/** Sends a command and returns its response's parameters; any response code but success is thrown. */
export async function execute(transport: TpmTransport, command: Command): Promise<Response> {
  const reader = new ByteReader(await answered(transport, commandBytes(command)))
  try {
    const responseTag = reader.u16()
    reader.u32()
    const responseCode = reader.u32()
    if (responseCode !== 0) throw responseError(command.name, responseCode)
    const responseHandle = command.hasResponseHandle ? reader.u32() : 0
    const parameters = responseTag === tag.sessions ? new ByteReader(reader.take(reader.u32())) : reader
    return { handle: responseHandle, parameters }
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    const remedy = 'open the transport anew'
    throw new TpmError('tpm-bad-response', `TPM2_${command.name} answered what is no response`, {
      remedy,
      retriable: false,
      cause: error,
    })
  }
}
