"""The page in a browser, over a real service."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import opened, sideways
from tests.serving.page.served import ESCAPE, FEW, IMAGE, item, title
from tests.serving.page.visit import Visit, shown
from tests.serving.service import Service

FIVE = {10: 5, 11: 1, 12: 4, 13: 2, 14: 5}
TWO = {10: 5, 11: 1}


def rate(visit: Visit, own: dict[int, int]) -> None:
    for number, stars in own.items():
        visit.rate(title(number), stars)


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/page/style.css"])
def test_its_files_run_nothing_but_themselves(served: Service, path: str) -> None:
    answer = served.ask(path)
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    assert b"innerHTML" not in answer.body
    assert served.ask("/page/%2e%2e/app.py").status == 404


def test_somebody_new_sees_what_is_popular(visit: Visit) -> None:
    visit.shows(visit.expected_titles("ease", {}))
    expect(visit.column().locator(".note")).to_contain_text("the most popular titles")
    assert visit.own() == []
    assert violations(visit.page) == []


def test_five_ratings_change_the_list_with_reasons(visit: Visit) -> None:
    before = visit.titles()
    rate(visit, FIVE)
    answer = visit.answer("ease", FIVE, explain=True)
    visit.shows([shown(each["title"]) for each in answer])
    assert visit.titles() != before
    assert visit.own() == [title(number) for number in reversed(FIVE)]
    assert not set(visit.own()) & set(visit.titles())
    for row, each in zip(visit.column().locator(".items > li").all(), answer, strict=True):
        told = row.locator(".because b").all_text_contents()
        for_, against = (
            [r for r in each["reasons"] if (r["share"] > 0) is sign] for sign in (True, False)
        )
        assert told == [reason["title"] for reason in for_ + against]
        said = row.locator(".because").inner_text()
        assert ("Because you rated" in said) is bool(for_)
        assert ("although you rated" in said.lower()) is bool(against)
    assert any(each["reasons"] for each in answer)
    expect(visit.page.locator("#news")).to_contain_text(shown(answer[0]["title"]))
    expect(visit.page.locator("#news")).to_have_attribute("role", "status")


def test_ratings_survive_a_reload_and_can_be_changed_and_removed(visit: Visit) -> None:
    rate(visit, TWO)
    visit.shows(visit.expected_titles("ease", TWO))
    visit.go()
    visit.shows(visit.expected_titles("ease", TWO))
    assert visit.own() == [title(number) for number in reversed(TWO)]
    visit.stars(title(10), 1).click()
    visit.shows(visit.expected_titles("ease", TWO | {10: 1}))
    visit.page.get_by_role("button", name=f"Remove {title(11)}").click()
    left = {number: stars for number, stars in (TWO | {10: 1}).items() if number != 11}
    visit.shows(visit.expected_titles("ease", left))
    visit.page.get_by_role("button", name="Start over").click()
    visit.shows(visit.expected_titles("ease", {}))
    assert visit.own() == []
    visit.page.get_by_role("button", name="Undo").click()
    visit.shows(visit.expected_titles("ease", left))
    assert len(visit.own()) == 1


def test_a_title_of_the_list_is_rated_right_there(visit: Visit) -> None:
    first = visit.answer("ease", {})[0]
    visit.column().locator(".items > li").first.locator("label").nth(4).click()
    visit.shows(visit.expected_titles("ease", {first["item"] - item(0): 5}))
    assert visit.own() == [shown(first["title"])]


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    page, press = visit.page, visit.page.keyboard.press
    for _ in range(10):
        press("Tab")
        if visit.field.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("film 1")
    expect(visit.options).to_have_count(8)
    expect(visit.options.first).to_have_attribute("aria-selected", "true")
    press("ArrowDown")
    second = visit.options.nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    chosen = second.locator("span").inner_text()
    active = visit.field.get_attribute("aria-activedescendant")
    assert active == second.get_attribute("id")
    press("Enter")
    assert visit.own() == [chosen]
    press("Space")  # one star
    for _ in range(3):
        press("ArrowRight")
    number = int(chosen.removeprefix("Film "))
    visit.shows(visit.expected_titles("ease", {number: 4}))
    press("Enter")  # back to the field
    expect(visit.field).to_be_focused()
    press("Escape")

    row = visit.column().locator(".items > li").first
    name = row.locator(".title").inner_text()
    row.locator("input").first.focus()
    press("Space")
    press("ArrowRight")
    expect(row.locator(".wait")).to_be_visible()  # the row stays while its stars are being chosen
    expect(page.locator("#news")).to_have_text("Rated. Enter brings the new list.")
    press("ArrowRight")
    expect(row.locator("input").nth(2)).to_be_focused()
    press("Enter")
    rated = [each["item"] - item(0) for each in visit.answer("ease", {number: 4}, k=1)]
    visit.shows(visit.expected_titles("ease", {number: 4, rated[0]: 3}))
    assert visit.own() == [name, chosen]
    assert page.evaluate("document.activeElement.closest('.items li') !== null")


def test_titles_are_text_whatever_they_hold(visit: Visit) -> None:
    visit.field.fill("onerror")
    option = visit.options.first
    expect(option.locator("span")).to_have_text(IMAGE)
    option.click()
    visit.stars(IMAGE, 5).click()
    visit.field.fill("[31mred")
    visit.options.first.click()
    visit.stars(shown(ESCAPE), 4).click()
    visit.shows(visit.expected_titles("ease", {1: 5, 2: 4}))
    assert visit.own() == [shown(ESCAPE), IMAGE]
    assert IMAGE in visit.column().locator(".because").first.inner_text()
    assert visit.page.locator("img").count() == 0
    assert visit.page.locator(".genres i").count() == 0


def test_models_stand_side_by_side(visit: Visit) -> None:
    rate(visit, TWO)
    page = visit.page
    assert page.locator("#model option[disabled]").all_text_contents() == ["mean (cannot rank)"]
    page.get_by_label("Compare with").select_option("knn")
    answer = visit.answer("knn", TWO)
    visit.shows([shown(each["title"]) for each in answer], place=1)
    visit.shows(visit.expected_titles("ease", TWO))
    both = set(visit.titles(0)) & set(visit.titles(1))
    for place in (0, 1):
        marked = visit.column(place).locator(".items > li:has(.both:visible) .title")
        assert set(marked.all_text_contents()) == both
    ratings = visit.column(1).locator(".predicted").all_inner_texts()
    assert [float(re.findall(r"\d\.\d", text)[0]) for text in ratings] == pytest.approx(
        [each["predicted"] for each in answer], abs=0.0501
    )
    page.get_by_label("Model", exact=True).select_option("knn")  # they swap
    visit.shows(visit.expected_titles("knn", TWO), place=0)
    visit.shows(visit.expected_titles("ease", TWO), place=1)
    visit.go()
    visit.shows(visit.expected_titles("ease", TWO), place=1)


def test_more_surprise_is_less_popularity(visit: Visit) -> None:
    slider = visit.page.get_by_label("Surprise me")
    expect(slider).to_be_disabled()  # popularity answers somebody new, whatever is asked of it
    rate(visit, TWO)
    visit.shows(visit.expected_titles("ease", TWO))
    slider.focus()
    for _ in range(6):
        visit.page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "60 % against popular titles")
    reranked = {"kind": "popularity", "strength": 0.6}
    visit.shows(visit.expected_titles("ease", TWO, rerank=reranked))
    assert visit.titles() != visit.expected_titles("ease", TWO)
    visit.go()
    visit.shows(visit.expected_titles("ease", TWO, rerank=reranked))


def test_how_good_a_model_is_stands_there(visit: Visit) -> None:
    about = visit.page.locator("#about")
    for text in (
        "NDCG@10 0.310 [0.200, 0.400]; popularity 0.210 [0.100, 0.300]",
        "(95 % intervals, 52 test users).",
        "Fitted on 1,100 rows of 60 users and 40 titles, until 2024-03-02.",
        "Data: films <b>. Licence: for research alone.",
    ):
        expect(about).to_contain_text(text)
    expect(visit.column().locator(".quality")).to_have_text("NDCG@10 0.310, popularity 0.210")
    visit.page.get_by_label("Model", exact=True).select_option("knn")
    expect(about).to_contain_text("Its quality was not measured.")
    expect(visit.column().locator(".quality")).to_have_text("Not measured")


@pytest.mark.parametrize(
    ("model", "control", "value", "rating"),
    [("halves", "select", "4.5", 4.5), ("points", "input", "87", 87), ("clicks", "button", "", 1)],
)
def test_every_scale_has_its_control(
    visit: Visit, model: str, control: str, value: str, rating: float
) -> None:
    visit.page.get_by_label("Model", exact=True).select_option(model)
    visit.field.fill(title(10))
    visit.options.first.click()
    found = visit.page.locator(f"#ratings .control {control}")
    expect(found).to_be_focused()
    with visit.page.expect_request(
        lambda request: '"rating":' in (request.post_data or "")
    ) as asked:
        if control == "select":
            found.select_option(value)
        elif control == "input":
            found.fill(value)
            found.press("Enter")
        else:
            found.click()
    assert json.loads(asked.value.post_data or "")["ratings"] == [
        {"item": item(10), "rating": rating}
    ]
    visit.shows(visit.expected_titles(model, {10: rating}))


def test_without_titles_there_are_ids(visit: Visit) -> None:
    visit.page.get_by_label("Model", exact=True).select_option("words")
    expect(visit.page.get_by_role("combobox", name="Search an id")).to_be_visible()
    visit.field.fill("id-1")
    assert visit.options.first.inner_text() == "id-1"
    visit.options.first.click()
    visit.stars("id-1", 5).click()
    expect(visit.column().locator(".title").first).to_have_text(re.compile(r"id-\d+"))
    expect(visit.column().locator(".items").get_by_text("id-1", exact=True)).to_have_count(0)


def test_ratings_that_another_model_does_not_know_are_left_out_and_counted(visit: Visit) -> None:
    visit.expected = "404"  # the browser's own line on a refused question
    visit.rate(title(10), 5)
    visit.rate(title(FEW), 1)
    visit.page.get_by_label("Compare with").select_option("few")
    visit.shows(visit.expected_titles("few", {10: 5}), place=1)
    expect(visit.column(1).locator(".note")).to_have_text(
        "The model does not know 1 of the 2 titles you rated."
    )


def test_a_refusal_of_the_service_is_shown_in_place(visit: Visit) -> None:
    visit.expected = "422"
    with visit.page.expect_response("**/recommend"):
        visit.page.get_by_label("Model", exact=True).select_option("halves")
    expect(visit.column()).not_to_have_attribute("aria-busy", "true")  # its list is shown
    visit.field.fill(title(10))
    visit.options.first.click()
    visit.page.locator("#ratings select").select_option("0.5")
    visit.page.get_by_label("Model", exact=True).select_option("ease")
    problem = visit.column().get_by_role("alert")
    expect(problem).to_contain_text("A number from 1 to 5 is expected (ratings.0.rating)")
    expect(problem).to_contain_text(re.compile("Request [0-9a-f]{16}"))
    assert visit.titles() == []  # the other model's would be under this one's name


def test_an_unreachable_service_is_told_and_asked_again(visit: Visit) -> None:
    visit.expected = "ERR_INTERNET_DISCONNECTED"
    visit.page.context.set_offline(True)
    visit.field.fill("film")
    expect(visit.page.locator("#search-state")).to_contain_text("cannot be reached")
    visit.column().locator(".items > li").first.locator("label").nth(4).click()
    problem = visit.column().get_by_role("alert")
    expect(problem).to_contain_text("The service cannot be reached.")
    assert violations(visit.page) == []
    visit.page.context.set_offline(False)
    problem.get_by_role("button", name="Try again").click()
    expect(problem).to_be_hidden()
    assert not set(visit.own()) & set(visit.titles())


def test_a_proxys_error_is_told_by_its_status(visit: Visit) -> None:
    visit.expected = "502"
    page = "<html>Bad gateway</html>"
    visit.page.route("**/recommend", lambda route: route.fulfill(status=502, body=page))
    visit.column().locator(".items > li").first.locator("label").nth(4).click()
    problem = visit.column().get_by_role("alert")
    expect(problem).to_contain_text("answered with status 502")


@pytest.mark.parametrize(("width", "schemes"), [(1280, ("light", "dark")), (390, ("dark",))])
def test_it_is_accessible_and_fits(
    browser: Browser, served: Service, width: int, schemes: tuple[str, ...]
) -> None:
    with opened(browser, width) as (page, watched):
        visit = Visit(page, served)
        visit.go()
        rate(visit, TWO)
        page.get_by_label("Compare with").select_option("knn")
        visit.shows(visit.expected_titles("knn", TWO), place=1)
        visit.field.fill(title(15))
        visit.options.first.click()  # without a rating yet
        visit.field.fill("film")
        expect(visit.options).to_have_count(8)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
        assert sideways(page) <= 0
        stars = visit.column().locator(".star").first.bounding_box()
        assert stars is not None
        assert min(stars["width"], stars["height"]) >= 24
    assert watched.complaints == []


def test_the_theme_is_the_systems_until_one_is_chosen(visit: Visit) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    button = visit.page.get_by_role("button", name="Dark theme")
    light = visit.page.evaluate(ground)
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    dark = visit.page.evaluate(ground)
    assert dark != light
    visit.go()
    assert visit.page.evaluate(ground) == dark
    expect(button).to_have_attribute("aria-pressed", "true")
