import { firstOutside } from '@interlock/bounds'
import { type Command, type DeviceGrant, type Grant, quantitySchema } from '@interlock/contracts'
import { isOfDevices } from '@interlock/trust'

/**
 * The grant that a command is given under: of those for its device and capability the first that holds its quantities, for each has a count and budgets
 * of its own. Where none holds them it is the first of all, and semantic-bounds says what lies outside of it.
 */
export function grantOfCommand(grants: readonly Grant[], command: Command): DeviceGrant | undefined {
  const named = grants.filter(isOfDevices).filter((grant) => covers(grant, command))
  const quantities = quantitiesOf(command)
  return named.find(({ limits }) => holds(limits, quantities)) ?? named[0]
}

/** By exact name: a grant knows no wildcard. */
const covers = ({ locations, actions }: DeviceGrant, { device, capability }: Command) =>
  locations.includes(device) && actions.includes(capability)

/** In the units of the command: what the device makes of them is not known here. */
const quantitiesOf = ({ parameters }: Command) =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) => {
      const read = quantitySchema.safeParse(value)
      return read.success ? [[name, read.data]] : []
    }),
  )

function holds(ranges: DeviceGrant['limits'], quantities: ReturnType<typeof quantitiesOf>): boolean {
  const outside = firstOutside(quantities, [{ limitOf: 'grant', ranges }])
  return outside.ok && outside.value === undefined
}
