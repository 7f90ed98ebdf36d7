"""The steps of a person on the sign-in pages, by what the pages hold and never by how they look."""

import secrets
import time

import pyotp
import requests

_last_steps = {}


def code(secret):
    """A code that was not used yet: each is good once, and those of the next half minute are good already."""
    step = max(int(time.time()) // 30, _last_steps.get(secret, 0) + 1)
    time.sleep(max(0, (step - 1) * 30 - time.time()))
    _last_steps[secret] = step
    return pyotp.TOTP(secret).at(step * 30)


def give_password(browser, person):
    assert "/account/sign-in" in browser.at, browser.at
    browser.type("mail", person["mail"])
    browser.type("password", person["password"])
    browser.press("sign-in")


def give_code(browser, person):
    assert "/account/second-factor" in browser.at, browser.at
    browser.type("code", code(person["totp_secret"]))
    browser.press("check")


def sign_in(browser, person):
    give_password(browser, person)
    if "totp_secret" in person:
        give_code(browser, person)


def consents(browser, app, person, **more):
    """From the app's redirect to the person's consent, and back to the app."""
    browser.open(app.ask(**more))
    sign_in(browser, person)
    assert "/oauth/authorize" in browser.at, browser.at
    browser.press("allow")


def set_up_factor(browser, person):
    """Types the key from the page into an authenticator app, and keeps the recovery codes."""
    assert "/account/second-factor/new" in browser.at, browser.at
    person["totp_secret"] = browser.texts("#secret")[0].replace(" ", "")
    browser.type("code", code(person["totp_secret"]))
    browser.press("confirm")
    person["recovery_codes"] = browser.texts(".codes li")


_used_links = set()


def link_for(browser, url, mail):
    """The link that a mail to this address has, on the mailbox page of a demonstration. The worker needs a moment."""
    give_up = time.monotonic() + 15
    while time.monotonic() < give_up:
        browser.open(f"{url}/mailbox")
        for number, told in enumerate(browser.texts("main .list > li"), 1):
            link = f'main .list > li:nth-child({number}) a[href*="/account/password/"]'
            if mail.lower() in told.lower() and browser.has(link):
                address = url + browser.attribute(link, "href")
                if address not in _used_links:
                    return address
        time.sleep(0.2)
    raise AssertionError(f"no mail with a new link for {mail}: {browser.texts('main .list > li')}")


def new_password():
    return "correct horse " + secrets.token_urlsafe(16)


def set_password(browser, url, person):
    """By the link of the newest mail, which is then used up."""
    link = link_for(browser, url, person["mail"])
    _used_links.add(link)
    person["password"] = new_password()
    browser.open(link)
    browser.type("new-password", person["password"])
    browser.press("set")
    return link


def service_token(url, service):
    answer = requests.post(
        f"{url}/oauth/token",
        auth=(service["client_id"], service["client_secret"]),
        data={"grant_type": "client_credentials"},
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]


def invite(url, credentials, role):
    """Somebody new of the Secretariat, who has a mail and nothing else yet."""
    mail = f"{role}-{secrets.token_hex(4)}@demonstration.example".replace("_", "-")
    answer = requests.post(
        f"{url}/v1/accounts",
        headers={"Authorization": f"Bearer {service_token(url, credentials['admin'])}"},
        json={"mail": mail, "name": "Nadia Invented", "language": "en", "roles": [role]},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    return {"mail": mail, "account": answer.json()["id"]}
