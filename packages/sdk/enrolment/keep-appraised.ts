import { type Enrolment, reappraiseDevice } from './enrol.ts'

export type AppraisalToKeep = Enrolment & {
  /** SPIFFE ID of the device. */
  readonly subject: string
  /** Milliseconds between appraisals: well below what its entry allows. */
  readonly every: number
  /** An appraisal failed; it is tried again after `every`. */
  readonly onFailure: (error: unknown) => void
}

/** Has a device appraised now and then for as long as the process runs. Returns what ends it. */
export function keepAppraised({ subject, every, onFailure, ...enrolment }: AppraisalToKeep): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => reappraiseDevice(enrolment, subject)).catch(onFailure)
  }, every).unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
