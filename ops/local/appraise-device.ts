import { type Layout, signingKeyOf } from '@interlock/cli'
import { admit, EnrolmentError, enrolDevice, reappraiseDevice } from '@interlock/sdk'
import { admittedDevice, laboratory } from '@interlock/sdk/trust-domain'
import { openTransport } from '@interlock/tpm'
import type { RunningTpm } from './tpm.ts'

/** How long an appraisal of a machine counts here, milliseconds. */
const appraisalAgeMsMax = 3_600_000

export type DeviceToAppraise = {
  readonly tpm: RunningTpm
  readonly layout: Layout
  /** Origin of the agent identity registry. */
  readonly registry: string
}

/**
 * A machine proves itself to the registry before it starts: it is admitted and enrolled once, and appraised at each start from then on. One that the registry suspended stays
 * so until an operator admits it again. @throws EnrolmentError
 */
export async function appraiseDevice({ tpm, layout, registry }: DeviceToAppraise): Promise<void> {
  const { pcrs, pcrDigest } = tpm.enrolment
  const device = admittedDevice(tpm.device, appraisalAgeMsMax)
  const transport = await openTransport(tpm.address)
  try {
    const enrolment = { registry, transport, pcrs }
    const isKnown = await reappraiseDevice(enrolment, device.spiffeId).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof EnrolmentError)) throw error
        if (error.code === 'subject-unknown') return false
        if (error.code !== 'not-active') throw error
        const remedy =
          'admit it again with `interlock admit device` and `interlock device enroll`, or begin anew with `npm run clean`'
        throw new EnrolmentError(
          error.code,
          `the registry suspended ${tpm.device}, as its last quote showed another boot or clock: ${remedy}`,
        )
      },
    )
    if (isKnown) return
    const operator = signingKeyOf(layout, 'operator-dev')
    const platform = { pcrs: [...pcrs], pcrDigest }
    const admission = await admit({ subject: device.spiffeId, platform, device }, { operator, audience: laboratory.audience })
    await enrolDevice(enrolment, admission)
  } finally {
    await transport.close()
  }
}
