"""Somebody before the console in a browser: goes where links go, and hears what the browser complains of."""

import re
from dataclasses import dataclass, field
from typing import Self

from playwright.sync_api import Browser, Dialog, Locator, Page, Response, expect

# What a subject may try: markup, a right-to-left override, an isolate, and zero-width characters.
HOSTILE = (
    "V/v {{7*7}} <script>document.title='x'</script><img src=x onerror=alert(1)> \u202eDAO NGUOC\u202c \u2066ẩn\u2069"
)
PHONE = 390
DEADLINE = 30_000  # ms, for a machine that is slow


@dataclass(slots=True)
class Visitor:
    """A window of its own, with cookies of its own.

    `allowed`: complaints that a test provokes; `agrees`: to whatever is asked before it is done.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    allowed: str = r"(?!)"
    agrees: bool = False

    @classmethod
    def arrive(cls, browser: Browser, url: str, *, width: int) -> Self:
        """Open a window so many CSS pixels wide."""
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > PHONE else 844},
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            accept_downloads=True,
            reduced_motion="reduce",
        )
        context.set_default_timeout(DEADLINE)
        visitor = cls(context.new_page(), url)
        visitor.page.on("pageerror", lambda error: visitor._complain(f"script: {error}"))
        visitor.page.on("console", lambda said: visitor._hear(said.type, said.text))
        # Playwright notes at what it is given that it has it: not at a method of an object with slots.
        visitor.page.on("dialog", lambda dialog: visitor._answer(dialog))  # noqa: PLW0108
        return visitor

    def _hear(self, kind: str, said: str) -> None:
        # Chromium tells violations of the content security policy as errors.
        if kind in {"error", "warning", "assert"}:
            self._complain(f"{kind}: {said}")

    def _answer(self, dialog: Dialog) -> None:
        if self.agrees and dialog.type == "confirm":
            dialog.accept()
            return
        self._complain(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _complain(self, what: str) -> None:
        if not re.search(self.allowed, what):
            self.complaints.append(f"{self.page.url}: {what}")

    def go(self, path: str) -> Response:
        """Open an address; return what was answered."""
        answered = self.page.goto(self.url + path, wait_until="domcontentloaded")
        assert answered is not None, path
        return answered

    def log_in(self, login: str, password: str) -> None:
        """Fill in the form and send it; the page behind it is open then."""
        self.go("/login")
        self.type_in(login, password)
        expect(self.page.locator("form[action='/logout']")).to_be_visible()

    def type_in(self, login: str, password: str) -> None:
        """Fill in the form of the login, and send it by the key that everybody uses."""
        self.page.locator("#login").fill(login)
        self.page.locator("#password").fill(password)
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.locator("#password").press("Enter")

    @property
    def path(self) -> str:
        """Where the window is."""
        return str(self.page.url).removeprefix(self.url)

    def main(self) -> Locator:
        """Return what the page is about."""
        return self.page.locator("main")

    def sees(self, words: str | re.Pattern[str]) -> None:
        """Wait until the page shows words."""
        expect(self.main()).to_contain_text(words)
