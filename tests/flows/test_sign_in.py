"""From the app's redirect to the token, as people go through it: without a browser, and in Chromium without scripts."""

import urllib.parse

import pytest
from authlib.integrations.base_client.errors import OAuthError
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import tokens
from people import (
    code,
    consents,
    give_password,
    invite,
    link_for,
    new_password,
    set_password,
    set_up_factor,
    sign_in,
)


def test_a_delegate_goes_from_the_app_to_a_token(browser, app, people):
    delegate = people["delegate"]
    browser.open(app.ask())
    sign_in(browser, delegate)
    assert delegate["mail"] in browser.texts("main dl")[0], "whose account it is"
    assert len(browser.texts("main > ul li")) == 2, "what the app may then do: read, account"
    browser.press("allow")
    token = app.exchange()
    assert token["token_type"] == "Bearer" and token["expires_in"] == 3600
    claims = tokens.read(app.server, token["access_token"])
    assert claims["sub"] == delegate["account"] and claims["client_id"] == app.client_id
    assert claims["scope"].split(" ") == ["read", "account"] == token["scope"].split(" ")
    assert app.status() == 200
    own = app.get(app.server["issuer"] + "/v1/account")
    assert (own.status_code, own.json()["mail"]) == (200, delegate["mail"])


def test_an_approver_shows_a_code_of_the_moment_too(browser, app, people):
    approver = people["approver"]
    browser.open(app.ask())
    give_password(browser, approver)
    used = code(approver["totp_secret"])
    browser.type("code", "000000")
    browser.press("check")
    assert browser.attribute("#code", "aria-invalid") == "true" and browser.has("[role=alert]")
    browser.type("code", used)
    browser.press("check")
    browser.press("allow")
    assert tokens.read(app.server, app.exchange()["access_token"])["sub"] == approver["account"]
    assert app.status() == 200


def test_who_is_invited_sets_a_password_and_a_factor_and_keeps_recovery_codes(browser, app, url, credentials):
    invited = invite(url, credentials, "approver")
    set_password(browser, url, invited)
    browser.open(app.ask())
    give_password(browser, invited)
    set_up_factor(browser, invited)
    assert len(set(invited["recovery_codes"])) == 10
    browser.follow("#continue")
    browser.press("allow")
    assert tokens.read(app.server, app.exchange()["access_token"])["sub"] == invited["account"]

    # the phone is lost
    browser.clear()
    browser.open(app.ask())
    give_password(browser, invited)
    browser.follow('main a[href*="with=recovery-code"]')
    browser.type("code", invited["recovery_codes"][3].upper().replace("-", " "))
    browser.press("check")
    browser.press("allow")
    app.exchange()
    assert app.status() == 200

    browser.clear()
    browser.open(app.ask())
    give_password(browser, invited)
    browser.follow('main a[href*="with=recovery-code"]')
    browser.type("code", invited["recovery_codes"][3])
    browser.press("check")
    assert browser.has("[role=alert]"), "each is good once"


def test_who_does_not_allow_it_leads_the_app_to_access_denied(browser, app, people):
    browser.open(app.ask())
    sign_in(browser, people["delegate_of_another_mission"])
    browser.press("deny")
    told = app.answer()[1]
    assert told["error"] == "access_denied" and "code" not in told


def test_a_wrong_password_gives_the_answer_of_an_unknown_name(browser, app, people):
    said = []
    for mail in [people["editor"]["mail"], "nobody@demonstration.example"]:
        browser.open(app.ask())
        give_password(browser, {"mail": mail, "password": "not the password"})
        said.append(browser.texts("[role=alert]"))
        assert browser.attribute("#mail", "value") == mail, "what was typed stays"
    assert said[0] == said[1] and len(said[0]) == 1


def test_a_forgotten_password_is_set_anew_and_what_was_signed_in_is_out(browser, app, url, people):
    administrator = dict(people["mission_admin"])
    consents(browser, app, administrator)
    old = app.exchange()
    assert app.status() == 200
    browser.open(app.ask())
    assert "/oauth/authorize" in browser.at, "signed in on the pages, too"

    browser.clear()
    browser.open(app.ask())
    browser.follow('main a[href*="/account/forgotten"]')
    browser.type("mail", administrator["mail"].upper())
    browser.press("ask")
    link = set_password(browser, url, administrator)
    people["mission_admin"] = administrator
    assert "/account/sign-in" in browser.at and browser.has("[role=status]")
    assert app.is_out(), "the old access token"
    with pytest.raises(OAuthError, match="invalid_grant"):
        app.renew(old["refresh_token"])

    browser.open(link)
    assert not browser.has("form"), "a link is good once"
    consents(browser, app, administrator)
    app.exchange()
    assert app.status() == 200


def test_a_weak_password_is_refused_with_a_reason(browser, url, credentials):
    invited = invite(url, credentials, "editor")
    browser.open(link_for(browser, url, invited["mail"]))
    for weak in ["short", "passwordpassword", invited["mail"]]:
        browser.type("new-password", weak)
        browser.press("set")
        assert browser.has("[role=alert]") and "error" in browser.attribute("#new-password", "aria-describedby")
    browser.type("new-password", new_password())
    browser.press("set")
    assert "/account/sign-in" in browser.at


def test_somebody_signs_a_device_out_that_they_lost(browser, app, url, people):
    officer = people["security_officer"]
    consents(browser, app, officer)
    app.exchange()
    assert app.status() == 200
    browser.open(f"{url}/account/devices")
    before = len(browser.texts("main .list > li"))
    browser.press("end-all")
    assert browser.has("[role=status]") and not browser.texts("main .list > li") and before >= 1
    assert app.is_out()
    browser.press("sign-out")
    assert "/account/signed-out" in browser.at
    browser.open(f"{url}/account/devices")
    assert "/account/sign-in" in browser.at


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "read inf_notes:everything"}, "invalid_scope"),
        ({"prompt": "none"}, "interaction_required"),
    ],
)
def test_an_app_is_told_what_is_wrong_with_its_request(plain, app, change, error):
    asked = urllib.parse.urlsplit(app.ask())
    query = dict(urllib.parse.parse_qsl(asked.query)) | change
    plain.open(asked._replace(query=urllib.parse.urlencode(query)).geturl())
    assert app.answer()[1]["error"] == error


def test_an_app_that_is_not_what_it_says_gets_no_answer(browser, app, listener):
    asked = app.ask().replace("signed-in", "stolen")
    browser.open(asked)
    assert "/oauth/authorize" in browser.at and not browser.has("form") and listener.answers.empty()


def focused(chromium):
    return chromium.driver.switch_to.active_element


def keys(chromium, *typed):
    ActionChains(chromium.driver).send_keys(*typed).perform()


def tab_to(chromium, css):
    """By the tabulator alone; what has the focus must show it."""
    for _ in range(12):
        here = focused(chromium)
        if chromium.has(css) and here == chromium._one(css):
            return
        keys(chromium, Keys.TAB)
        here = focused(chromium)
        assert here.value_of_css_property("outline-style") != "none", here.get_dom_attribute("outerHTML")
    raise AssertionError(f"the tabulator does not lead to {css}")


def test_the_keyboard_alone_leads_from_the_app_to_the_token(chromium, app, people):
    delegate = people["delegate"]
    chromium.open(app.ask())
    assert focused(chromium).get_dom_attribute("name") == "mail", "one begins there"
    keys(chromium, delegate["mail"], Keys.TAB)
    assert focused(chromium).get_dom_attribute("name") == "password"
    keys(chromium, delegate["password"], Keys.TAB)
    assert focused(chromium).get_dom_attribute("value") == "sign-in"
    chromium.leaves(lambda: keys(chromium, Keys.ENTER))
    tab_to(chromium, "button[value=allow]")
    chromium.leaves(lambda: keys(chromium, Keys.ENTER))
    app.exchange()
    assert app.status() == 200


def test_return_in_a_field_sends_the_form(chromium, app, people):
    auditor = people["auditor"]
    chromium.open(app.ask(login_hint=auditor["mail"]))
    assert chromium.attribute("#mail", "value") == auditor["mail"]
    assert focused(chromium).get_dom_attribute("name") == "password", "the name is there already"
    chromium.leaves(lambda: keys(chromium, auditor["password"], Keys.ENTER))
    assert "/oauth/authorize" in chromium.at


def test_an_app_that_wants_to_be_sure_has_its_person_sign_in_again(browser, app, people):
    consents(browser, app, people["editor"])
    app.exchange()
    browser.open(app.ask(prompt="login"))
    give_password(browser, people["editor"])
    browser.press("allow")
    app.exchange()
