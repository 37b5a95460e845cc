// One model's list of recommendations.

import { element, named, star, visible } from "./dom.js";
import { focusable, inWords, kindOf, ratingControl } from "./rating.js";
import { keyOf, recommend } from "./service.js";

export class Column {
  items = []; // of the list that is shown or waits
  #controller = null;
  #held = null; // a list that waits until the keyboard has left the rating of a row
  #parts;

  /** `rate(title, rating)`; `rated(key)`: the person's own rating or null; `again()`: ask anew; `say(text)`. */
  constructor({ rate, rated, again, say }) {
    Object.assign(this, { rate, rated, again, say });
    this.#parts = {
      name: element("h3", {}),
      quality: element("p", { class: "hint quality" }),
      note: element("p", { class: "note", hidden: true }),
      problem: element("div", { class: "problem", role: "alert", hidden: true }),
      list: element("ol", { class: "items", role: "list" }),
    };
    const { name, quality, note, problem, list } = this.#parts;
    this.root = element("article", { class: "column" }, name, quality, note, problem, list);
    list.addEventListener("focusout", () => setTimeout(() => this.#release()));
    list.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.#held && event.target.closest(".control")) {
        event.preventDefault();
        this.#release(true);
      }
    });
  }

  /** Ask `model` for its list; what there is to say of it, or null when another question came. */
  async ask(model, quality, ratings, strength) {
    this.#controller?.abort();
    const controller = (this.#controller = new AbortController());
    const { name, problem, list } = this.#parts;
    name.textContent = visible(model.name);
    this.#parts.quality.textContent = quality;
    list.setAttribute("aria-label", `Recommendations by ${visible(model.name)}`);
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await recommend(model, ratings, strength, controller.signal);
      problem.hidden = true;
      this.#take({ model, answer, count: ratings.length });
      return this.#held ? "Rated. Enter brings the new list." : this.news;
    } catch (error) {
      if (error.name === "AbortError") return null;
      if (!("unreachable" in error)) throw error;
      this.#refused(error, model);
      return null;
    } finally {
      if (this.#controller === controller) this.root.removeAttribute("aria-busy");
    }
  }

  /** Forget what is asked: the column is not shown. */
  stop() {
    this.#controller?.abort();
    this.#held = null;
    this.items = [];
  }

  /** The list in one sentence, for those who do not see it change. */
  get news() {
    const titles = this.items.slice(0, 3).map((each) => visible(each.title));
    const first = titles.length
      ? `: ${titles.join("; ")}${this.items.length > 3 ? " and more" : ""}`
      : "";
    return `${this.items.length} recommendations by ${visible(this.model.name)}${first}.`;
  }

  /** Mark those that another list has, too. */
  mark(others) {
    const keys = new Set(others.map((each) => keyOf(each.item)));
    for (const row of this.#parts.list.children) {
      row.querySelector(".both").hidden = !keys.has(row.dataset.key);
    }
  }

  #take(found) {
    this.#held = null;
    this.items = found.answer.items;
    this.model = found.model;
    const control = document.activeElement?.closest?.(".control");
    const row = this.#parts.list.contains(control) ? control.closest("li") : null;
    const rating =
      row &&
      document.activeElement.matches(":focus-visible") &&
      this.rated(row.dataset.key) !== null;
    if (!rating) {
      this.#draw(found);
      return;
    }
    // Each arrow key rates: a row that went with the first one would take the focus along.
    this.#held = found;
    row.querySelector(".wait").hidden = false;
  }

  #release(now = false) {
    if (!this.#held) return;
    const row = document.activeElement?.closest?.("li");
    const still = this.#parts.list.contains(row) && this.rated(row.dataset.key) !== null;
    if (still && !now) return;
    const found = this.#held;
    this.#held = null;
    this.#draw(found);
    this.say(this.news);
  }

  #draw({ model, answer, count }) {
    const { note, list } = this.#parts;
    const row = document.activeElement?.closest?.("li");
    const focused = list.contains(row)
      ? { key: row.dataset.key, place: [...list.children].indexOf(row) }
      : null;
    const text = noteOn(answer, count);
    note.textContent = text;
    note.hidden = !text;
    list.replaceChildren(...answer.items.map((each) => this.#row(each, model)));
    if (focused) this.#focus(focused);
    this.root.dispatchEvent(new Event("drawn"));
  }

  #focus({ key, place }) {
    const rows = [...this.#parts.list.children];
    const row =
      rows.find((each) => each.dataset.key === key) ?? rows[Math.min(place, rows.length - 1)];
    if (row)
      focusable(row.querySelector(".control").firstElementChild).focus({ preventScroll: true });
  }

  #row(each, model) {
    const scale = model.scale;
    const control = ratingControl({
      ...each,
      scale,
      rating: this.rated(keyOf(each.item)),
      rate: (rating) => this.rate(each, rating),
    });
    const wait = element(
      "span",
      { class: "hint wait", hidden: true },
      "Rated. Enter, or leaving the row, brings the new list.",
    );
    const genres = each.genres.join(" · ");
    const body = element("div", { class: "body" }, named(each.title, "p", { class: "title" }));
    if (genres) body.append(named(genres, "p", { class: "genres" }));
    if (each.reasons?.length) body.append(because(each.reasons, this.rated, scale));
    const both = element("span", { class: "both", hidden: true }, "in both lists");
    const actions = element(
      "div",
      { class: "actions" },
      element("span", { class: "control" }, control),
      both,
      wait,
    );
    return element(
      "li",
      { "data-key": keyOf(each.item) },
      body,
      predicted(each.predicted, scale),
      actions,
    );
  }

  #refused(error, model) {
    const { problem, note, list } = this.#parts;
    if (model !== this.model) {
      // Another model's list may not stay under this one's name.
      this.items = [];
      list.replaceChildren();
      note.hidden = true;
    }
    const field = error.field ? ` (${visible(error.field)})` : "";
    problem.replaceChildren(element("p", {}, `${sentence(error.message)}${field}`));
    if (error.id) problem.append(element("p", { class: "hint" }, `Request ${visible(error.id)}`));
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => this.again());
    problem.append(again);
    problem.hidden = false;
  }
}

function sentence(text) {
  return visible(text[0].toUpperCase() + text.slice(1));
}

/** What a list is, where it is not simply the model's answer to the ratings. */
function noteOn({ fallback, unused, items }, count) {
  if (!items.length) return "Nothing is left to recommend.";
  if (!count) {
    const what =
      fallback === "popularity"
        ? "the most popular titles"
        : "what the model recommends to somebody new";
    return `You have rated nothing yet: these are ${what}.`;
  }
  if (unused === count) return "The model knows none of the titles you rated.";
  if (fallback === "popularity")
    return "The model cannot say anything from these ratings: these are the most popular titles.";
  if (unused) return `The model does not know ${unused} of the ${count} titles you rated.`;
  return "";
}

/** The person's own ratings that speak for an item, and those that speak against it. */
function because(reasons, rated, scale) {
  const verb = kindOf(scale) === "liked" ? "liked" : "rated";
  const line = element("p", { class: "because" });
  const kinds = [
    [`Because you ${verb} `, reasons.filter((each) => each.share > 0)],
    [`although you ${verb} `, reasons.filter((each) => each.share < 0)],
  ];
  for (const [start, some] of kinds) {
    if (!some.length) continue;
    line.append(line.childNodes.length ? `, ${start}` : start[0].toUpperCase() + start.slice(1));
    for (const [place, each] of some.entries()) {
      if (place) line.append(place === some.length - 1 ? " and " : ", ");
      line.append(named(each.title, "b"));
      const rating = rated(keyOf(each.item));
      if (verb === "rated" && rating !== null) line.append("\u00a0", given(rating, scale));
    }
  }
  return line;
}

/** A rating in short: 4★ where it is in stars, read aloud in words. */
function given(rating, scale) {
  if (kindOf(scale) === "number") return `(${rating})`;
  const short = element("span", { "aria-hidden": "true" }, `${rating}\u2605`);
  return element(
    "span",
    { class: "given" },
    short,
    element("span", { class: "hidden" }, inWords(rating, scale)),
  );
}

function predicted(value, scale) {
  if (value == null || kindOf(scale) === "liked") return "";
  const place = element("p", { class: "predicted" });
  const digits = scale[1] - scale[0] > 20 ? 0 : 1;
  place.append(element("span", { class: "hidden" }, "Predicted rating: "), value.toFixed(digits));
  if (kindOf(scale) !== "number") place.append(star());
  return place;
}
