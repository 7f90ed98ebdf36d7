"""Each page: its language and direction, what it loads, how it is on a phone, and axe's judgement."""

import pytest

from browsers import Chromium, Plain
from people import code, give_password, invite, set_password

LANGUAGES = ["ar", "en", "es", "fr", "ru", "zh"]


class Tour:
    """Goes to every page in one language, as far as can be gone with the people there are."""

    def __init__(self, browser, app, url, language):
        self.browser, self.app, self.url, self.language = browser, app, url, language

    def open(self, path):
        self.browser.open(f"{self.url}{path}{'&' if '?' in path else '?'}lang={self.language}")

    def ask(self):
        self.browser.open(self.app.ask(ui_locales=self.language))

    def strangers(self):
        """What who is not signed in sees."""
        self.ask()
        yield "sign-in"
        give_password(self.browser, {"mail": f"nobody-{self.language}@demonstration.example", "password": "x"})
        yield "sign-in-failed"
        self.open("/account/forgotten")
        yield "forgotten"
        self.browser.type("mail", "nobody")
        self.browser.press("ask")
        yield "forgotten-failed"
        self.browser.type("mail", f"nobody-{self.language}@demonstration.example")
        self.browser.press("ask")
        yield "look-into-your-mailbox"
        self.open("/account/password/none")
        yield "link-is-over"
        self.open("/account/signed-out")
        yield "signed-out"
        self.open("/account/none")
        yield "not-found"
        self.browser.open(self.app.ask(ui_locales=self.language).replace("signed-in", "stolen"))
        yield "app-refused"
        self.open("/mailbox")
        yield "mailbox"

    def persons(self, person):
        """What somebody with an app, a password and no second factor sees."""
        self.ask()
        give_password(self.browser, person)
        yield "consent"
        self.browser.press("allow")
        self.app.exchange()
        self.open("/account/devices")
        yield "devices"
        self.open("/account/password")
        yield "change-password"
        self.open("/account/second-factor/new")
        yield "set-up"
        self.browser.press("confirm")
        yield "set-up-failed"

    def approvers(self, person):
        """What is shown of a second factor."""
        self.open("/account/sign-in")
        give_password(self.browser, person)
        yield "second-factor"
        self.open("/account/second-factor?with=recovery-code")
        yield "recovery-code"
        self.open("/account/second-factor")
        self.browser.type("code", code(person["totp_secret"]))
        self.browser.press("check")
        self.open("/account/recovery-codes")
        yield "ask-for-recovery-codes"
        self.open("/account/second-factor/replace")
        yield "replace-factor"
        self.open("/account/recovery-codes")
        self.browser.type("password", person["password"])
        self.browser.press("confirm")
        yield "recovery-codes"


@pytest.fixture(scope="module")
def somebody(url, credentials):
    """People of these tests alone, one for each kind of browser: a password, an app in their devices, no factor."""

    def new():
        person = invite(url, credentials, "editor")
        set_password(Plain(), url, person)
        return person

    return {kind: new() for kind in [Plain, Chromium]}


# In each language Chromium looks at these; at all of them below, in two.
FEW = ["sign-in", "sign-in-failed", "consent", "devices"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_in_its_language_and_holds_no_script(browser, app, url, somebody, language):
    tour = Tour(browser, app, url, language)
    titles, names = [], []
    for pages in [tour.strangers(), tour.persons(somebody[type(browser)])]:
        for name in pages:
            page = browser.page
            heading = [heading.get_text() for heading in page.select("main h1")]
            assert len(heading) == 1 and len(page.select("h1, main")) == 2, name
            assert page.html["lang"] == language, name
            assert page.html["dir"] == ("rtl" if language == "ar" else "ltr"), name
            assert heading[0] in page.title.get_text() and page.title.get_text().endswith(" – Focalpoint"), name
            assert not page.select("script, style, [style], [onclick], iframe, img, object"), name
            titles += heading
            names.append(name)
            if isinstance(browser, Chromium) and name in ("sign-in-failed", "devices"):
                break
        browser.clear_cookies()
    assert names == FEW if isinstance(browser, Chromium) else len(names) == 15
    if language != "en":
        english = ["Sign in", "Set a password", "Your account", "Signed out", "Not found", "Mailbox"]
        assert not set(titles) & set(english)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_no_serious_fault(scripted, app, url, people, somebody, language, modules, pictures):
    axe = (modules / "axe-core" / "axe.min.js").read_text()
    tour = Tour(scripted, app, url, language)
    found, count = [], 0
    for pages in [tour.strangers(), tour.persons(somebody[Chromium]), tour.approvers(people["admin"])]:
        for name in pages:
            found += [f"{name}: {fault}" for fault in scripted.axe(axe)]
            if language == "en":
                scripted.scheme("dark")
                found += [f"{name} in the dark: {fault}" for fault in scripted.axe(axe, ["color-contrast"])]
                scripted.scheme("light")
            scripted.picture(pictures / f"{name}-{language}.png")
            # WCAG 2.2, 1.4.10
            wide = scripted.picture(pictures / f"{name}-{language}-320.png", width=320)
            if wide > 320:
                found.append(f"{name}: {wide} pixels wide on a phone of 320")
            count += 1
        scripted.clear_cookies()
    assert not found, "\n".join(found)
    assert count == 20
