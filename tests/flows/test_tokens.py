"""What an app does with its tokens, by authlib: it goes on, loses a reply, and signs out."""

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

import tokens
from app import metadata
from browsers import Plain
from people import consents, sign_in


@pytest.fixture(scope="module")
def browser(url, people):
    """One in which a delegate is signed in on the pages."""
    browser = Plain()
    browser.open(f"{url}/account/devices")
    sign_in(browser, people["delegate"])
    return browser


@pytest.fixture
def signed_in(browser, app):
    browser.open(app.ask())
    browser.press("allow")
    app.exchange()
    return app


def test_the_metadata_are_what_rfc_8414_asks_for(url, monkeypatch):
    # a demonstration has no TLS
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    told = AuthorizationServerMetadata(metadata(url))
    told.validate()
    assert told["issuer"] == url


def test_an_app_goes_on_with_the_next_refresh_token(signed_in):
    first = dict(signed_in.token)
    second = dict(signed_in.renew(first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    read = tokens.read(signed_in.server, second["access_token"])
    assert read["sid"] == tokens.read(signed_in.server, first["access_token"])["sid"], "the session goes on"
    assert signed_in.status() == 200


def test_a_reply_that_was_lost_is_asked_for_again(signed_in):
    first = dict(signed_in.token)
    lost = dict(signed_in.renew(first["refresh_token"]))
    again = dict(signed_in.renew(first["refresh_token"]))
    assert lost["refresh_token"] == again["refresh_token"]
    signed_in.renew(again["refresh_token"])
    assert signed_in.status() == 200


def test_a_refresh_token_used_after_its_successor_ends_the_session(signed_in):
    first = dict(signed_in.token)
    second = dict(signed_in.renew(first["refresh_token"]))
    newest = dict(signed_in.renew(second["refresh_token"]))
    with pytest.raises(OAuthError, match="invalid_grant"):
        signed_in.renew(first["refresh_token"])
    assert signed_in.is_out()
    with pytest.raises(OAuthError, match="invalid_grant"):
        signed_in.renew(newest["refresh_token"])


def test_who_signs_out_is_out_within_a_second(signed_in):
    token = dict(signed_in.token)
    assert signed_in.sign_out(token["refresh_token"]).status_code == 200
    assert signed_in.is_out()
    assert signed_in.sign_out(token["refresh_token"]).status_code == 200, "asked for again, all the same"
    with pytest.raises(OAuthError, match="invalid_grant"):
        signed_in.renew(token["refresh_token"])


def test_a_code_is_good_once_and_a_second_use_takes_back_what_it_gave(plain, app, people):
    consents(plain, app, people["delegate_of_another_mission"])
    address, _ = app.answer()
    endpoint, with_it = app.server["token_endpoint"], {"state": app.asked, "code_verifier": app.verifier}
    app.fetch_token(endpoint, authorization_response=address, **with_it)
    assert app.status() == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        app.fetch_token(endpoint, authorization_response=address, **with_it)
    assert app.is_out()


def test_a_code_without_its_verifier_is_good_for_nothing(plain, app, people):
    consents(plain, app, people["delegate_of_another_mission"])
    address, _ = app.answer()
    endpoint = app.server["token_endpoint"]
    with pytest.raises(OAuthError, match="invalid_grant"):
        app.fetch_token(endpoint, authorization_response=address, state=app.asked, code_verifier="a" * 43)
    with pytest.raises(OAuthError, match="invalid_grant"):
        app.fetch_token(endpoint, authorization_response=address, state=app.asked, code_verifier=app.verifier)


def test_an_app_that_asks_for_more_than_its_person_may_goes_on_with_less(plain, new_app, people):
    app = new_app(scope="read account audit:read members:manage")
    consents(plain, app, people["delegate_of_another_mission"])
    assert app.exchange()["scope"] == "read account"
    # authlib names its scopes with every refresh
    assert app.renew(app.token["refresh_token"])["scope"] == "read account"


def test_a_token_that_was_changed_is_none(signed_in, url):
    head, claims, signature = signed_in.token["access_token"].split(".")
    for bad in [f"{head}.{claims}.", f"{head}.{claims}.{signature[::-1]}", "a.b.c"]:
        answer = requests.get(f"{url}/v1/sync", headers={"Authorization": f"Bearer {bad}"}, timeout=10)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
