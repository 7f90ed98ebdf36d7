"""What tests of signing in have: the server, its demonstration people, browsers, and an app of each test's own."""

import json
import pathlib

import pytest

from app import App, Listener
from browsers import Chromium, Plain


def pytest_addoption(parser):
    parser.addoption("--url", required=True, help="where the server is; it has demonstration data")
    parser.addoption("--credentials", type=pathlib.Path, required=True, help="the file of its --demo-credentials")
    parser.addoption("--modules", type=pathlib.Path, required=True, help="where npm put the modules of package.json")
    parser.addoption("--pictures", type=pathlib.Path, required=True, help="where pictures of pages go")
    parser.addoption("--chromium", help="the browser; without it the tests in it are skipped")
    parser.addoption("--chromedriver", help="its driver")
    parser.addoption("--node", help="Node.js; without it the tests of openid-client are skipped")


@pytest.fixture(scope="session")
def url(request):
    return request.config.getoption("--url")


@pytest.fixture(scope="session")
def credentials(request):
    return json.loads(request.config.getoption("--credentials").read_text())


@pytest.fixture(scope="session")
def people(credentials):
    return credentials["people"]


@pytest.fixture(scope="session")
def modules(request):
    return request.config.getoption("--modules")


@pytest.fixture(scope="session")
def pictures(request):
    return request.config.getoption("--pictures")


@pytest.fixture
def listener():
    with Listener() as listener:
        yield listener
        listener.shutdown()


@pytest.fixture
def new_app(url, credentials, listener):
    return lambda **more: App(url, credentials["app"]["client_id"], listener, **more)


@pytest.fixture
def app(new_app):
    return new_app()


def _chromium(request, scripts):
    program, driver = request.config.getoption("--chromium"), request.config.getoption("--chromedriver")
    if not (program and driver):
        pytest.skip("no Chromium with its driver is here")
    chromium = Chromium(program, driver, scripts)
    request.addfinalizer(chromium.quit)
    return chromium


@pytest.fixture(scope="session")
def one_without_scripts(request):
    return _chromium(request, scripts=False)


@pytest.fixture(scope="session")
def one_with_scripts(request):
    return _chromium(request, scripts=True)


def _watched(chromium, url, listener):
    """A Chromium that starts anew; at the end nothing may be wrong in what it tells of the pages."""
    chromium.clear()
    yield chromium
    chromium._note()
    assert not chromium.faults, "the browser's console and CSP have nothing to say"
    assert chromium.origins() <= {url, listener.origin}, "nothing is loaded from elsewhere"


@pytest.fixture
def chromium(one_without_scripts, url, listener):
    yield from _watched(one_without_scripts, url, listener)


@pytest.fixture
def scripted(one_with_scripts, url, listener):
    yield from _watched(one_with_scripts, url, listener)


@pytest.fixture(params=["plain", "chromium"])
def browser(request):
    """Each flow is gone through without a browser and in one, whose scripts are off: the pages need none."""
    return Plain() if request.param == "plain" else request.getfixturevalue("chromium")


@pytest.fixture
def plain():
    return Plain()
