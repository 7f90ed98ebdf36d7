"""What others make of our access tokens: PyJWT, and joserfc with authlib's reading of RFC 9068."""

import jwt
import requests
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from joserfc import jwk
from joserfc import jwt as joserfc

# RFC 9068 §2.2
CLAIMS = ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"]


def read(metadata, token):
    """The claims of a good token, by the keys that the metadata lead to."""
    issuer = metadata["issuer"]
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    whole = jwt.decode_complete(
        token, key, algorithms=["EdDSA"], issuer=issuer, audience=issuer, options={"require": CLAIMS}
    )
    # RFC 9068 §2.1 and §4
    assert whole["header"]["typ"].lower() == "at+jwt"

    keys = jwk.KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    # RFC 9864 would rather have it called Ed25519; what signs here does not know that name yet
    again = joserfc.decode(token, keys, algorithms=["EdDSA", "Ed25519"])
    options = {name: {"essential": True} for name in CLAIMS} | {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": issuer},
    }
    JWTAccessTokenClaims(again.claims, again.header, options).validate()
    assert again.claims == whole["payload"]
    return again.claims
