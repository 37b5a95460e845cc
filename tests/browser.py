"""Debian's Chromium for the tests of pages, and what a page must never do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser.

    While it is there, asyncio has a loop in this thread, so it should not outlive a file of tests.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """What a page has done that somebody should see.

    Attributes
    ----------
    complaints:
        Errors and warnings of the console, exceptions that nobody caught, dialogs.
    hosts:
        Whom it has asked for something.
    """

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@contextmanager
def opened(browser: Browser, width: int = 1280, **options: Any) -> Iterator[tuple[Page, Watched]]:
    """A page in a window of its own, without storage or cookies of others."""
    watched = Watched()
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, reduced_motion="reduce", **options)  # type: ignore[arg-type]
    page = context.new_page()

    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(message.text)

    def dialog(shown: Any) -> None:
        watched.complaints.append(f"dialog: {shown.message}")
        shown.dismiss()

    page.on("console", console)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("dialog", dialog)
    page.on("request", lambda request: watched.hosts.add(urlsplit(request.url).netloc))
    yield page, watched
    context.close()


def sideways(page: Page) -> int:
    """How many pixels a page is wider than its window."""
    wider = "document.documentElement.scrollWidth - window.innerWidth"
    return int(page.evaluate(wider))
