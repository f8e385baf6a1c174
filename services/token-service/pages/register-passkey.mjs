/** A registration ceremony in a browser. The invitation is in the address's fragment, which is not sent; what is made is shown, not sent. */

const outcome = document.getElementById('outcome')
const make = document.getElementById('make')
const invitation = location.hash.slice(1)

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0))
const digestOf = async (text) => new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

/** Whom the invitation names. Its signature is the operator's to check: here it only says what to ask for. */
function invitedHuman() {
  try {
    const { human } = JSON.parse(new TextDecoder().decode(bytesOf(invitation.split('.')[1])))
    return typeof human === 'string' ? human : undefined
  } catch {
    return undefined
  }
}

async function create(human) {
  const { rpId } = document.getElementById('passkey').dataset
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: await digestOf(invitation),
      rp: { id: rpId, name: 'Interlock' },
      // WebAuthn L3 §14.6.1: the handle is not the name.
      user: { id: await digestOf(`interlock ${human}`), name: human, displayName: human },
      pubKeyCredParams: [-8, -7].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
      attestation: 'none',
      timeout: 300_000,
    },
  })
  const { id, type, response } = credential.toJSON()
  const { clientDataJSON, attestationObject } = response
  return { invitation, registration: { id, type, response: { clientDataJSON, attestationObject } } }
}

const human = invitedHuman()
if (human !== undefined) {
  document.getElementById('invited').textContent = `For ${human}, to allow jobs and commands with.`
  make.hidden = false
  make.addEventListener('click', async () => {
    make.disabled = true
    try {
      document.getElementById('registration').value = JSON.stringify(await create(human))
      document.getElementById('made').hidden = false
      make.hidden = true
      outcome.textContent = 'Made. It counts when your operator has added it.'
    } catch {
      outcome.textContent = 'No passkey was made. You can try again.'
    }
    make.disabled = false
    outcome.focus()
  })
}
