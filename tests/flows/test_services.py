"""A mission's own system: a client with a secret, by authlib."""

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

import tokens
from app import metadata
from people import consents


@pytest.fixture
def server(url):
    return metadata(url)


@pytest.fixture
def service(server, credentials):
    def service(name="integrator", **more):
        client = credentials[name] | more
        return OAuth2Session(client["client_id"], client["client_secret"], default_timeout=10)

    return service


def test_an_integrator_gets_a_token_by_its_secret(service, server, credentials):
    integrator = service()
    token = integrator.fetch_token(server["token_endpoint"], grant_type="client_credentials")
    assert "refresh_token" not in token, "RFC 6749 §4.4.3"
    assert integrator.get(f"{server['issuer']}/v1/sync").status_code == 200
    claims = tokens.read(server, token["access_token"])
    # RFC 9068 §2.2: where nobody is involved, the client itself
    assert claims["sub"] == claims["client_id"] == credentials["integrator"]["client_id"] and "sid" not in claims


def test_a_service_is_given_fewer_scopes_and_never_more(service, server):
    integrator = service()
    endpoint = server["token_endpoint"]
    assert integrator.fetch_token(endpoint, grant_type="client_credentials", scope="read")["scope"] == "read"
    with pytest.raises(OAuthError, match="invalid_scope"):
        integrator.fetch_token(endpoint, grant_type="client_credentials", scope="read inf_notes:import")


def test_another_secret_is_refused_as_rfc_6749_says(service, server):
    with pytest.raises(OAuthError, match="invalid_client"):
        service(client_secret="another").fetch_token(server["token_endpoint"], grant_type="client_credentials")


def test_a_service_is_told_of_the_tokens_of_its_mission_and_no_other(service, server, plain, new_app, people):
    integrator, endpoint = service(), server["introspection_endpoint"]
    own = integrator.fetch_token(server["token_endpoint"], grant_type="client_credentials")["access_token"]
    told = integrator.introspect_token(endpoint, token=own).json()
    assert told["active"] is True and told["sub"] == integrator.client_id and told["token_type"] == "Bearer"

    delegate, stranger = new_app(), new_app()
    consents(plain, delegate, people["delegate"])
    delegate.exchange()
    plain.clear()
    consents(plain, stranger, people["delegate_of_another_mission"])
    stranger.exchange()
    told = integrator.introspect_token(endpoint, token=delegate.token["access_token"]).json()
    assert told["active"] is True and told["sub"] == people["delegate"]["account"]
    for other in [stranger.token["access_token"], "no token", own[:-8]]:
        assert integrator.introspect_token(endpoint, token=other).json() == {"active": False}
    delegate.sign_out(delegate.token["refresh_token"])
    assert integrator.introspect_token(endpoint, token=delegate.token["access_token"]).json() == {"active": False}


def test_an_app_without_a_secret_is_told_of_no_token(server, app):
    app.token = {"access_token": "none", "token_type": "Bearer"}
    answer = app.introspect_token(server["introspection_endpoint"], token="any")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
