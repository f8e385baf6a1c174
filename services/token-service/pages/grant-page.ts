import type { AskedGrant, Grant, Human } from '@interlock/contracts'
import { type AgentTables, canonicalBytes, digest, parseSpiffeId, roleOf } from '@interlock/trust'
import { html } from 'hono/html'
import type { PendingGrant } from '../grant-requests.ts'
import { inert } from './inert-text.ts'
import type { Page } from './layout.ts'

export type GrantToShow = {
  readonly pending: PendingGrant
  readonly agents: AgentTables['agents']
  readonly rpId: string
}

/** Where a human types the code that an orchestrator showed them (RFC 8628 §3.3). */
export const codePage = (toRoot: Page['toRoot'], isWrong: boolean): Page => ({
  title: 'Enter the code',
  toRoot,
  main: html`<main>
    <h1>What have you been asked?</h1>
    ${isWrong ? html`<p role="alert" class="no">There is no open question under this code. It may be answered, or over; the agent can ask anew.</p>` : ''}
    <form action="${toRoot}grants" method="get">
      <label for="user_code">The code that the agent showed you</label>
      <input id="user_code" name="user_code" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20">
      <button>Show</button>
    </form>
  </main>`,
})

/** What a human is asked, and by whom. Its challenge is the digest of what is shown: the signature is over these words and limits. */
export function grantPage({ pending: { request, expiresAt }, agents, rpId }: GrantToShow): Page {
  const human = agents.get(`human:${request.human}`)
  const credentials = human?.kind === 'human' ? (human satisfies Human).credentials.map(({ id }) => id) : []
  const title = request.kind === 'grant' ? 'Allow this job?' : 'Allow jobs while you are away?'
  return {
    title,
    toRoot: '../',
    script: 'sign-grant.mjs',
    main: html`<main id="grant" data-challenge="${digest(canonicalBytes(request))}" data-rp-id="${rpId}" data-credentials="${credentials.join(' ')}">
    <h1>${title}</h1>
    <p>You answer as <strong>${inert(request.human)}</strong>, at the latest at ${time(expiresAt)}.</p>
    <h2>Who asks</h2>
    ${asker(request, agents)}
    <h2>What it may do</h2>
    <ul class="summary">${request.summary.split('\n').map((line) => html`<li>${inert(line)}</li>`)}</ul>
    <h2>The exact limits</h2>
    ${request.grants.map(limits)}
    <h2>How long, and through whom</h2>
    ${terms(request)}
    <div class="answers">
      <button id="allow" class="allow">Allow with passkey</button>
      <button id="refuse">Refuse</button>
    </div>
    <p id="outcome" role="status" tabindex="-1"></p>
    <noscript><p role="alert" class="no">Your browser must run this page’s script to ask your passkey.</p></noscript>
  </main>`,
  }
}

/** The agent as the registry knows it, not as it says itself. */
function asker({ orchestrator }: AskedGrant, agents: AgentTables['agents']) {
  const parsed = parseSpiffeId(orchestrator)
  const role = parsed.ok ? roleOf(parsed.value) : undefined
  const entry = role?.kind === 'agent' ? agents.get(`definition:${role.definition}`) : undefined
  const definition = entry?.kind === 'definition' ? entry : undefined
  return html`<dl>
      <dt>Agent</dt><dd>${inert(orchestrator)}</dd>
      <dt>Definition</dt><dd>${definition ? `${inert(definition.name)}, version ${inert(definition.definition.version)}, ${definition.state}` : 'not registered'}</dd>
      <dt>Who answers for it</dt><dd>${definition ? inert(definition.owner) : 'nobody known'}</dd>
    </dl>`
}

function limits(grant: Grant) {
  const { locations, actions, maxCount } = grant
  const rows = rowsOf(grant).map(
    ([name, ...cells]) => html`<tr><th scope="row">${inert(name)}</th>${cells.map((cell) => html`<td>${inert(cell)}</td>`)}</tr>`,
  )
  const words =
    grant.type === 'interlock_tool'
      ? {
          of: 'of',
          each: 'calls',
          what: 'Argument',
          last: 'One of',
          open: 'Nothing is limited here but by the tool’s definition.',
        }
      : {
          of: 'on',
          each: 'commands',
          what: 'Parameter',
          last: 'Unit',
          open: 'Nothing is limited here but by the machine itself.',
        }
  return html`<table>
      <caption>${actions.map(inert).join(', ')} ${words.of} ${locations.map(inert).join(', ')}, at most ${maxCount} ${words.each}</caption>
      <thead><tr><th scope="col">${words.what}</th><th scope="col">Least</th><th scope="col">Most</th><th scope="col">${words.last}</th></tr></thead>
      <tbody>${rows.length > 0 ? rows : html`<tr><td colspan="4">${words.open}</td></tr>`}</tbody>
    </table>`
}

/** Name, least, most, and the unit or the values: what each limit says, whole. */
function rowsOf(grant: Grant): (readonly [string, string, string, string])[] {
  if (grant.type === 'interlock_device')
    return Object.entries(grant.limits).map(([name, { min, max, unit }]) => [name, min ?? 'none', max ?? 'none', unit])
  return Object.entries(grant.limits).map(([name, limit]) =>
    'values' in limit
      ? [name, '', '', limit.values.map((value) => JSON.stringify(value)).join(', ')]
      : [name, limit.min ?? 'none', limit.max ?? 'none', 'any number'],
  )
}

function terms(request: AskedGrant) {
  const { mayDelegateTo, from, until } = request
  const own =
    request.kind === 'grant'
      ? html`<dt>Job</dt><dd>${inert(request.job)}</dd>`
      : html`<dt>Jobs</dt><dd>called ${inert(request.jobPrefix)}, ${request.jobsMax} at most, ${request.jobsPerDayMax} at most in 24 hours</dd>
      <dt>Each at most</dt><dd>${request.jobSecondsMax / 60} minutes</dd>
      <dt>Will you be asked again?</dt><dd>No: until then jobs begin without you. An operator can end this at any time.</dd>`
  return html`<dl>
      ${own}
      <dt>From</dt><dd>${time(from)}</dd>
      <dt>Until</dt><dd>${time(until)}</dd>
      <dt>It may pass this on to</dt><dd>${mayDelegateTo.length > 0 ? html`<ul>${mayDelegateTo.map((agent) => html`<li>${inert(agent)}</li>`)}</ul>` : 'nobody'}</dd>
    </dl>`
}

function time(ms: number) {
  const text = new Date(ms).toISOString()
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`
}
