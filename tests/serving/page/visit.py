"""What a person does on the page, and what they see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.serving.page.served import item
from tests.serving.service import Service


class Visit:
    """A person at the page of a service."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page, self.service = page, service
        self.expected = ""  # part of a complaint that a test brings about
        page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)

    def go(self) -> None:
        """Open the page and wait for its list."""
        self.page.goto(self.service.url)
        expect(self.column().locator(".items > li")).to_have_count(10)

    def expects(self, complaint: str) -> bool:
        return bool(self.expected) and self.expected in complaint

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("combobox", name="Search")

    @property
    def options(self) -> Locator:
        """What the search has found."""
        return self.page.locator("#found").get_by_role("option")

    def column(self, place: int = 0) -> Locator:
        return self.page.locator(".column").nth(place)

    def titles(self, place: int = 0) -> list[str]:
        """Titles of a list, best first."""
        return self.column(place).locator(".items .title").all_text_contents()

    def own(self) -> list[str]:
        """Titles of the own ratings, newest first."""
        return self.page.locator("#ratings .title").all_text_contents()

    def rate(self, title: str, stars: int) -> None:
        """Search a title, take it, and click on a star."""
        self.field.fill(title)
        named = self.page.locator("span").get_by_text(title, exact=True)
        self.options.filter(has=named).click()
        self.stars(title, stars).click()

    def stars(self, title: str, stars: int) -> Locator:
        """The star to click in the own ratings."""
        return self.page.locator("#ratings").get_by_role(
            "group", name=f"Your rating of {title}", exact=True
        ).locator("label").nth(stars - 1)  # fmt: skip

    def shows(self, expected: Sequence[str], place: int = 0) -> None:
        """Wait until a list holds these titles."""
        expect(self.column(place).locator(".items .title")).to_have_text(list(expected))

    def answer(self, model: str, own: dict[int, float], **more: Any) -> list[dict[str, Any]]:
        """What the service recommends for ratings by an item's number."""
        rated = [{"item": item(number), "rating": rating} for number, rating in own.items()]
        body = {"model": model, "ratings": rated, **more}
        found: list[dict[str, Any]] = self.service.ok("/recommend", body)["items"]
        return found

    def expected_titles(self, model: str, own: dict[int, float], **more: Any) -> list[str]:
        return [shown(each["title"]) for each in self.answer(model, own, **more)]


def shown(text: str) -> str:
    """A title as the page shows it: an escape by its code."""
    return text.replace("\x1b", r"\x1b")
