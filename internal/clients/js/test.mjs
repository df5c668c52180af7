// Certified clients against a running site, as their documentation says to use
// them. javascript_test.go starts the site and sets the environment.
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { test } from 'node:test'

globalThis.crypto ??= webcrypto // Node 18, as in Debian 12
const oauth = await import('oauth4webapi')
const client = await import('openid-client')

const { API, ORG, ADMIN, CLIENT_ID } = process.env
const issuer = new URL(`${API}/oauth/tenant/${encodeURIComponent(ORG)}`)

// decide grants or denies a request as the administrator.
async function decide(what, userCode) {
  const res = await fetch(`${API}/cloudapi/1.0.0/deviceLookup/${what}`, {
    method: 'POST', body: JSON.stringify({ userCode }), headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
  })
  assert.equal(res.status, 204)
}

// works calls an API with an access token.
async function works(config, accessToken) {
  const res = await client.fetchProtectedResource(config, accessToken, new URL(`${API}/cloudapi/1.0.0/sessions/current`), 'GET')
  return res.status === 200
}

const refused = (code) => (err) => {
  assert.equal(err.error, code)
  assert.ok(err.error_description)
  return true
}

test('openid-client: discovery, device grant, rotation, revocation', async (t) => {
  const config = await client.discovery(issuer, CLIENT_ID, undefined, client.None(), { algorithm: 'oauth2' })
  assert.equal(config.serverMetadata().issuer, issuer.href)

  const denied = await client.initiateDeviceAuthorization(config, {})
  await decide('deny', denied.user_code)
  await assert.rejects(client.pollDeviceAuthorizationGrant(config, { ...denied, interval: 1 }), refused('access_denied'))

  const request = await client.initiateDeviceAuthorization(config, {})
  assert.equal(request.verification_uri_complete, undefined)
  // The site judges a poll by the one before it, so the first may come early.
  await decide('grant', request.user_code)
  let tokens = await client.pollDeviceAuthorizationGrant(config, { ...request, interval: 1 })
  assert.ok(await works(config, tokens.access_token))

  const seen = new Set([tokens.refresh_token])
  for (let i = 0; i < 4; i++) {
    tokens = await client.refreshTokenGrant(config, tokens.refresh_token)
    assert.ok(!seen.has(tokens.refresh_token))
    seen.add(tokens.refresh_token)
    assert.ok(await works(config, tokens.access_token))
  }

  await client.tokenRevocation(config, tokens.refresh_token)
  assert.ok(!(await works(config, tokens.access_token).catch(() => false)))
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), refused('invalid_grant'))
})

test('oauth4webapi: metadata, device grant, introspection, revocation of an access token', async () => {
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }))
  const app = { client_id: CLIENT_ID }
  const none = oauth.None()
  const request = await oauth.processDeviceAuthorizationResponse(as, app, await oauth.deviceAuthorizationRequest(as, app, none, new URLSearchParams()))
  const poll = async () => oauth.processDeviceCodeResponse(as, app, await oauth.deviceCodeGrantRequest(as, app, none, request.device_code))
  await assert.rejects(poll(), refused('authorization_pending'))
  await assert.rejects(poll(), refused('slow_down'))
  await decide('grant', request.user_code)
  const tokens = await poll()

  // Introspection is for those who hold a session here, not for strangers.
  const bearer = (_as, _client, _body, headers) => headers.set('authorization', `Bearer ${ADMIN}`)
  const introspect = async (token) => oauth.processIntrospectionResponse(as, app, await oauth.introspectionRequest(as, app, bearer, token))
  const known = await introspect(tokens.access_token)
  assert.equal(known.active, true)
  assert.equal(known.iss, issuer.href)
  assert.deepEqual(await introspect('no such token'), { active: false })

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, app, none, tokens.access_token))
  assert.deepEqual(await introspect(tokens.access_token), { active: false })
  await assert.rejects(
    oauth.deviceCodeGrantRequest(as, app, none, request.device_code).then((res) => oauth.processDeviceCodeResponse(as, app, res)),
    refused('invalid_grant'),
  )
})
