export { answerRequest, pendingRequests } from './approvals/approver.ts'
export { CliError } from './cli-error.ts'
export { exitCodes } from './exit-codes.ts'
export { readPolicySource } from './policy/policy-source.ts'
export { pushPolicy } from './policy/push-policy.ts'
export { boundsPolicyOf } from './policy/try-policy.ts'
export { connect } from './stack/connect.ts'
export { publishControlEntries } from './stack/publish.ts'
export { readStackFile, type StackFile, writeStackFile } from './stack/stack-file.ts'
export { buildTrace } from './trace/build-trace.ts'
export { loadEvidence } from './trace/load-evidence.ts'
export { countChecks, renderTrace } from './trace/render-trace.ts'
export {
  type InitRequest,
  type InitResult,
  initTrustDomain,
  readPasskeys,
  TrustDomainError,
} from './trust-domain/init-trust-domain.ts'
export { loadIssuingAuthority } from './trust-domain/issuing-authority.ts'
export { createJob, currentJob, signingKeyOf } from './trust-domain/jobs.ts'
export { type Layout, layoutOf } from './trust-domain/layout.ts'
export { readTrustBundle } from './trust-domain/trust-bundle-file.ts'
