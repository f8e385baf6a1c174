/** The human's answer to a grant, in a browser. The page is whole without it; it asks the passkey and sends what that said. */

const grant = document.getElementById('grant')
const outcome = document.getElementById('outcome')
const buttons = [...document.querySelectorAll('button')]

/** Why there is no signature, by the name of the DOMException (WebAuthn L3 §5.1.4) or the server's error code. */
const reasons = {
  NotAllowedError: 'Nothing was signed: you broke off, or none of your passkeys is on this device. You can try again.',
  SecurityError: 'Nothing was signed: your passkeys belong to another address than this page’s.',
  access_denied: 'Your signature does not count here. Nothing was allowed.',
  invalid_grant: 'This question is no longer open. Nothing was allowed; the agent can ask anew.',
}

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0))
const textOf = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

async function sign() {
  const { challenge, rpId, credentials } = grant.dataset
  const allowCredentials = credentials
    .split(' ')
    .filter(Boolean)
    .map((id) => ({ type: 'public-key', id: bytesOf(id) }))
  const publicKey = { challenge: bytesOf(challenge), rpId, allowCredentials, userVerification: 'required', timeout: 300_000 }
  const { id, response } = await navigator.credentials.get({ publicKey })
  return {
    credentialId: id,
    authenticatorData: textOf(response.authenticatorData),
    clientDataJson: textOf(response.clientDataJSON),
    signature: textOf(response.signature),
  }
}

async function send(method, answer) {
  const body = answer && { body: JSON.stringify(answer), headers: { 'content-type': 'application/json' } }
  const response = await fetch(location.pathname, { method, ...body })
  if (response.ok) return
  const { error } = await response.json().catch(() => ({}))
  throw { name: error }
}

/** Says what came of it where a screen reader hears it, and leaves the buttons only while there is something left to answer. */
function tell(text, kind) {
  outcome.textContent = text
  outcome.className = kind
  const isOver = kind !== 'no'
  for (const button of buttons) {
    button.disabled = false
    button.hidden = isOver
  }
  outcome.focus()
}

async function answer(ask, done, kind) {
  for (const button of buttons) button.disabled = true
  try {
    await ask()
    tell(done, kind)
  } catch ({ name }) {
    tell(reasons[name] ?? 'That did not work, and nothing was allowed. You can try again.', 'no')
  }
}

document
  .getElementById('allow')
  .addEventListener('click', () => answer(async () => send('POST', await sign()), 'Allowed. You can close this page.', 'allowed'))
document
  .getElementById('refuse')
  .addEventListener('click', () => answer(() => send('DELETE'), 'Refused. You can close this page.', 'refused'))
// A human lives in a time zone; what is signed is in UTC.
for (const time of document.querySelectorAll('time'))
  time.append(` (${new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })} here)`)
