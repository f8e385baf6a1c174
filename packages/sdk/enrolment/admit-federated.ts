import { admit, type ByOperator } from './admit.ts'
import { post } from './registry-client.ts'

/**
 * An operator lets one agent of a partner's, by its SPIFFE ID, count as a definition of ours: as software, for as long as its partner certifies it and nobody revokes it.
 * @throws EnrolmentError with the registry's reason
 */
export async function admitFederatedAgent(
  registry: string,
  agent: { readonly subject: string; readonly definition: string },
  by: ByOperator,
): Promise<void> {
  await post(registry, '/federated-agents', { admission: await admit(agent, by) })
}
