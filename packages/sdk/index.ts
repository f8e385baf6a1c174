export { type AckSigner, acknowledge, type LayerKey, type Measured, type QuotingKey } from './adapter/acknowledge.ts'
export { ControlFold, type ControlReader, readControlTables } from './adapter/control-reader.ts'
export { type DeviceAdapterSettings, startDeviceAdapter } from './adapter/device-adapter.ts'
export type { DeviceReason } from './adapter/device-rules.ts'
export { type DeviceTrust, openDeviceTrust, readDeviceTrust } from './adapter/device-trust.ts'
export { DeviceUse } from './adapter/device-use.ts'
export { JournalError, OrderJournal } from './adapter/journal.ts'
export { DeviceFailure, type Handler, OrderRunner, type OrderRunnerPorts } from './adapter/order-runner.ts'
export type { StandingOrders } from './adapter/standing.ts'
export {
  type OrderContext,
  type OrderReason,
  type OrderVerdict,
  type VerifiedOrder,
  verifyOrder,
} from './adapter/verify-order.ts'
export { consentToGrant, GrantAnswerError, readGrantRequest, refuseGrant } from './answer-grant.ts'
export { admit, type ByOperator } from './enrolment/admit.ts'
export { admitFederatedAgent } from './enrolment/admit-federated.ts'
export {
  type EnrolledAgent,
  type Enrolment,
  enrolAgent,
  enrolDevice,
  reappraiseDevice,
  renewAgent,
} from './enrolment/enrol.ts'
export { type DiceIdentity, enrolDiceDevice, readDiceIdentity, reappraiseDiceDevice } from './enrolment/enrol-dice.ts'
export { admittedBy, enrolProfile, type ProfileRequest } from './enrolment/enrol-profile.ts'
export {
  type CertifiedKey,
  enrolSoftwareAgent,
  enrolSubAgent,
  renewSoftwareAgent,
} from './enrolment/enrol-software.ts'
export { type AppraisalToKeep, keepAppraised } from './enrolment/keep-appraised.ts'
export { type Measurement, measurePlatform } from './enrolment/measure-platform.ts'
export { type Agent, type AgentEvents, openAgent } from './enrolment/open-agent.ts'
export {
  type DefinitionChange,
  orderDefinition,
  type RegisteredDefinition,
  readDefinition,
} from './enrolment/order-definition.ts'
export { EnrolmentError } from './enrolment/registry-client.ts'
export { type FollowedRecord, type Following, type FollowRequest, followTopics } from './follow-topics.ts'
export { signAgentAssertion } from './orchestrator/agent-assertion.ts'
export { createIntent, IntentError, type IntentRequest } from './orchestrator/create-intent.ts'
export { DelegationError, type DelegationRequest, delegate } from './orchestrator/delegate.ts'
export { type DpopRequest, signDpopProof } from './orchestrator/dpop-proof.ts'
export { OrchestratorClient, OutcomeTimeout, type Submitted } from './orchestrator/orchestrator-client.ts'
export { murmur2Partitioner } from './orchestrator/partition.ts'
export { QuantityError, quantity } from './orchestrator/quantity.ts'
export { type Refusal, refusalOf } from './orchestrator/refusal.ts'
export {
  type JobToRequest,
  type RequestedJob,
  type RequestedStandingGrant,
  type StandingGrantToRequest,
  TokenClient,
  TokenServiceError,
  type TokenToExchange,
} from './orchestrator/token-client.ts'
export { signConsent } from './sign-consent.ts'
