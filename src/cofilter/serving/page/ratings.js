// The list of a person's own ratings.

import { element, named, visible } from "./dom.js";
import { focusable, ratingControl } from "./rating.js";
import { keyOf } from "./service.js";

export class Ratings {
  #list;
  #rate;
  #remove;
  #leave;

  /** `rate(title, rating)`, `remove(title)`; `leave()` after Enter on a rating. */
  constructor(list, { rate, remove, leave }) {
    [this.#list, this.#rate, this.#remove, this.#leave] = [list, rate, remove, leave];
  }

  /** Draw all ratings; what had the focus has it again. */
  show(ratings, scale) {
    const row = document.activeElement?.closest?.("li");
    const key = this.#list.contains(row) ? row.dataset.key : null;
    this.#list.replaceChildren(...ratings.map((each) => this.#row(each, scale)));
    if (key !== null) this.focus(key);
  }

  /** Put the focus on the rating of the title with this key; whether it is there. */
  focus(key) {
    const row = [...this.#list.children].find((each) => each.dataset.key === key);
    if (row) focusable(row.querySelector(".control").firstElementChild).focus();
    return Boolean(row);
  }

  /** Put the focus where a row was that is gone: on the next one's button. */
  focusPlace(place) {
    const rows = this.#list.children;
    const row = rows[Math.min(place, rows.length - 1)];
    row?.querySelector(".remove").focus();
    return Boolean(row);
  }

  #row(each, scale) {
    const control = ratingControl({ ...each, scale, rate: (rating) => this.#rate(each, rating) });
    control.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      this.#leave();
    });
    const remove = element(
      "button",
      { type: "button", class: "remove", "aria-label": `Remove ${visible(each.title)}` },
      "×",
    );
    remove.addEventListener("click", () => this.#remove(each));
    return element(
      "li",
      { "data-key": keyOf(each.item), class: each.rating === null ? "open" : null },
      named(each.title, "span", { class: "title" }),
      element("span", { class: "control" }, control),
      remove,
    );
  }
}
