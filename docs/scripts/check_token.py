#!/usr/bin/env python3
"""check_token.py: reads access tokens, one a line, and says whom each belongs to. Needs PyJWT: pip install 'pyjwt[crypto]'

For a system of your own that is handed a token by another one. It does not see that a session was ended, or somebody
suspended or given other roles, since the token was issued: POST /oauth/introspect does.
"""

import os
import sys

import jwt

BASE = os.environ["FOCALPOINT"].rstrip("/")
# Keeps the keys for an hour, and looks again when a token names one that it has not.
KEYS = jwt.PyJWKClient(BASE + "/.well-known/jwks.json", lifespan=3600)


def check(token):
    """The claims of a good token. Raises jwt.PyJWTError for any other."""
    # The header is a stranger's word until the signature is checked: it chooses among our keys and nothing else.
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return jwt.decode(
        token,
        KEYS.get_signing_key_from_jwt(token).key,
        algorithms=["EdDSA"],  # never what the token says
        audience=BASE,
        issuer=BASE,
        leeway=60,
        options={"require": ["exp", "iat", "nbf", "sub", "client_id", "jti"]},
    )


if __name__ == "__main__":
    for line in sys.stdin:
        try:
            claims = check(line.strip())
            who = f"person {claims['sub']} in app" if "sid" in claims else "service"
            print(who, claims["client_id"], claims["scope"])
        except jwt.PyJWTError as refused:
            print(f"refused: {refused}")
