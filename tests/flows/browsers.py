"""What a person has before them: Chromium, or the pages alone, read without style, script or picture."""

import json
import os
import urllib.parse

import requests
from bs4 import BeautifulSoup
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

WAIT = 10


def is_gone(page):
    try:
        page.is_enabled()
    except WebDriverException:
        # stale, or an error of its own where the driver looks at the moment at which it goes
        return True
    return False


class Plain:
    """As little as a browser may be: cookies, links and forms."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.clear_cookies()
        self.typed = {}

    def clear_cookies(self):
        self.session = requests.Session()

    def open(self, address):
        self._show(self.session.get(address, timeout=WAIT))

    def _show(self, answer):
        self.at, self.status, self.typed = answer.url, answer.status_code, {}
        self.page = BeautifulSoup(answer.text, "html.parser")

    def has(self, css):
        return self.page.select_one(css) is not None

    def texts(self, css):
        return [found.get_text() for found in self.page.select(css)]

    def attribute(self, css, name):
        return self.page.select_one(css).get(name)

    def type(self, name, text):
        assert self.has(f"input[name={name}]"), self.page.get_text(" ")
        self.typed[name] = text

    def press(self, action, within="main"):
        button = self.page.select_one(f"{within} button[value={action}]")
        assert button, f"no {action} on {self.at}: {self.page.get_text(' ')}"
        form = button.find_parent("form")
        filled = {field["name"]: field.get("value", "") for field in form.select("input[name]")}
        filled |= {**self.typed, button["name"]: button["value"]}
        address = urllib.parse.urljoin(self.at, form["action"])
        self._show(self.session.request(form["method"], address, data=filled, timeout=WAIT))

    def follow(self, css):
        self.open(urllib.parse.urljoin(self.at, self.page.select_one(css)["href"]))


class Chromium:
    """Headless, with or without scripts. It keeps account of all that it loads and complains about."""

    def __init__(self, program, driver, scripts):
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=900,1000"]:
            options.add_argument(argument)
        # what Chromium asks its makers for is no business of the pages
        for argument in ["--disable-background-networking", "--disable-component-update", "--no-first-run"]:
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        if not scripts:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.driver.set_page_load_timeout(3 * WAIT)
        self.faults, self.loaded = [], set()

    def clear_cookies(self):
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def clear(self):
        self.driver.get("about:blank")
        self.clear_cookies()
        self.faults, self.loaded = [], set()
        self.driver.get_log("browser"), self.driver.get_log("performance")

    def open(self, address):
        self.driver.get(address)
        self._note()

    def _note(self):
        documents = set()
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                address = event["params"]["request"]["url"]
                self.loaded.add(address)
                if event["params"].get("type") == "Document":
                    documents.add(address)
        for entry in self.driver.get_log("browser"):
            # a page that tells of a fault of its person's has a status that says so, which Chromium notes
            is_status = entry["source"] == "network" and "the server responded with a status of 4" in entry["message"]
            if not (is_status and any(entry["message"].startswith(address + " ") for address in documents)):
                self.faults.append(entry["message"])

    @property
    def at(self):
        return self.driver.current_url

    @property
    def page(self):
        """The page as it is now, to be read at once."""
        return BeautifulSoup(self.driver.page_source, "html.parser")

    def _find(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def _one(self, css):
        found = self._find(css)
        assert found, f"no {css} on {self.at}: {self.texts('body')}"
        return found[0]

    def has(self, css):
        return bool(self._find(css))

    def texts(self, css):
        return [found.text for found in self._find(css)]

    def attribute(self, css, name):
        return self._one(css).get_dom_attribute(name)

    def type(self, name, text):
        field = self._one(f"input[name={name}]")
        field.clear()
        field.send_keys(text)

    def leaves(self, act):
        """Does what leads to another page, and waits for that."""
        page = self._one("html")
        act()
        WebDriverWait(self.driver, WAIT, poll_frequency=0.05).until(lambda _: is_gone(page))
        self._note()

    def press(self, action, within="main"):
        self.leaves(self._one(f"{within} button[value={action}]").click)

    def follow(self, css):
        self.leaves(self._one(css).click)

    def origins(self):
        """Where anything was loaded from."""
        parts = [urllib.parse.urlsplit(address) for address in self.loaded]
        return {f"{part.scheme}://{part.netloc}" for part in parts if part.scheme not in ("about", "data")}

    def scheme(self, scheme):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def axe(self, source, only=None):
        """What axe finds on this page that is serious or worse, by all its rules or by some. Needs scripts."""
        if not self.driver.execute_script("return !!window.axe"):
            self.driver.execute_script(source)
        run = """
            const [only, done] = arguments
            axe.run(only ? {runOnly: only} : {}).then(done, error => done({error: String(error)}))
        """
        told = self.driver.execute_async_script(run, only)
        assert "error" not in told and told["passes"], told
        serious = [fault for fault in told["violations"] if fault["impact"] in ("serious", "critical")]
        return [f"{fault['id']}: {node['html']} {node['failureSummary']}" for fault in serious for node in fault["nodes"]]

    def picture(self, path, width=900):
        """The whole page, as high as it is."""
        size = {"width": width, "height": 600, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        size["height"] = self.driver.execute_script("return document.scrollingElement.scrollHeight")
        wide = self.driver.execute_script("return document.scrollingElement.scrollWidth")
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.save_screenshot(str(path))
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        return wide

    def quit(self):
        self.driver.quit()
