// openid-client as an app, and jose as a server that takes its token. Signs in with fetch and what the pages hold.
//
//     node openid_client.mjs '{"url", "client_id", "mail", "password", "redirect_uri"}'
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { url, client_id, mail, password, redirect_uri, service } = JSON.parse(process.argv[2])
const insecure = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
const app = await client.discovery(new URL(url), client_id, undefined, client.None(), insecure)
const metadata = app.serverMetadata()
assert.equal(metadata.issuer, url)
assert.ok(metadata.supportsPKCE('S256'))

// ------------------------------------------------------------ the person

const cookies = new Map()

/** Follows redirects by hand, for their cookies, until a page or the app's own address. */
async function visit(address, form) {
  const body = form && new URLSearchParams(form)
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
  const options = { method: body ? 'POST' : 'GET', body, headers: { cookie }, redirect: 'manual' }
  const answer = await fetch(address, options)
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
    cookies.set(name, value)
  }
  const to = answer.headers.get('location')
  if (!to) return { address, page: await answer.text() }
  const next = new URL(to, address).href
  return next.startsWith(redirect_uri) ? { address: next } : visit(next)
}

const unescaped = (text) => text.replaceAll('&amp;', '&')

/** Sends the form of a page. */
function send({ address, page }, fields) {
  const [, action] = /<form method="post" action="([^"]+)"/.exec(page)
  const [, token] = /name="form" value="([^"]+)"/.exec(page)
  return visit(new URL(unescaped(action), address).href, { form: token, ...fields })
}

async function signIn(action) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const asked = client.buildAuthorizationUrl(app, {
    redirect_uri,
    scope: 'read account',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  let at = await visit(asked.href)
  if (at.page.includes('value="sign-in"')) at = await send(at, { mail, password, action: 'sign-in' })
  const { address } = await send(at, { action })
  return [new URL(address), { pkceCodeVerifier, expectedState }]
}

// ------------------------------------------------------------ the app

const tokens = await client.authorizationCodeGrant(app, ...(await signIn('allow')))
assert.equal(tokens.token_type, 'bearer')
assert.equal(tokens.scope, 'read account')

const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
const verify = (token) => jwtVerify(token, keys, { issuer: url, audience: url, typ: 'at+jwt', algorithms: ['EdDSA'] })
const { payload } = await verify(tokens.access_token)
assert.equal(payload.client_id, client_id)
await assert.rejects(jwtVerify(tokens.access_token, keys, { issuer: url, audience: 'https://elsewhere.example' }))

const read = (token) => client.fetchProtectedResource(app, token, new URL('/v1/sync', url), 'GET')
assert.equal((await read(tokens.access_token)).status, 200)

const renewed = await client.refreshTokenGrant(app, tokens.refresh_token)
assert.notEqual(renewed.refresh_token, tokens.refresh_token)
assert.equal((await verify(renewed.access_token)).payload.sid, payload.sid)
const again = await client.refreshTokenGrant(app, tokens.refresh_token)
assert.equal(again.refresh_token, renewed.refresh_token, 'a reply that was lost')

await client.tokenRevocation(app, renewed.refresh_token, { token_type_hint: 'refresh_token' })
const signedOut = Date.now()
const refused = async () => {
  try {
    await read(renewed.access_token)
    return Date.now() - signedOut > 1000 ? assert.fail('still good after a second') : refused()
  } catch (error) {
    if (error.status !== 401) throw error
    return error.cause[0].scheme
  }
}
assert.equal(await refused(), 'bearer')
await assert.rejects(client.refreshTokenGrant(app, renewed.refresh_token), { error: 'invalid_grant' })

const denied = await signIn('deny')
await assert.rejects(client.authorizationCodeGrant(app, ...denied), { error: 'access_denied' })

// another server's answer (RFC 9207): the client itself finds it out
const [mixed, checks] = await signIn('allow')
mixed.searchParams.set('iss', 'https://elsewhere.example')
await assert.rejects(client.authorizationCodeGrant(app, mixed, checks))

// ------------------------------------------------------------ a service

const { client_id: id, client_secret: secret } = service
const integrator = await client.discovery(new URL(url), id, undefined, client.ClientSecretBasic(secret), insecure)
const own = await client.clientCredentialsGrant(integrator)
assert.equal((await verify(own.access_token)).payload.sub, id)
const told = await client.tokenIntrospection(integrator, own.access_token)
assert.deepEqual([told.active, told.client_id, told.iss], [true, id, url])
assert.equal((await client.tokenIntrospection(integrator, 'none')).active, false)
console.log('signed in')
