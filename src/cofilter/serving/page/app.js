// The page: what a person rates, and what the models make of it.

import { about, quality } from "./about.js";
import { Column } from "./column.js";
import { debounced, element, visible } from "./dom.js";
import { Ratings } from "./ratings.js";
import { Search } from "./search.js";
import { ask, keyOf } from "./service.js";
import { keep, Store } from "./store.js";

const WAIT = 300; // milliseconds without a change before the models are asked
const ENOUGH = 5; // ratings that make a good start
const FOUND = 8; // titles under the field
const $ = (id) => document.getElementById(id);

/** What the page shows of the models that a service has. */
class Page {
  constructor(models) {
    this.models = models;
    this.store = new Store(storeName(models));
    this.ratings = new Ratings($("ratings"), {
      rate: (title, rating) => this.rate(title, rating),
      remove: (title) => this.remove(title),
      leave: () => $("search").focus(),
    });
    this.columns = [0, 1].map(() => this.column());
    this.search = new Search({
      input: $("search"),
      list: $("found"),
      state: $("search-state"),
      find: async (text, signal) => {
        const body = { model: this.model.name, text, n: FOUND };
        return (await ask("search", body, signal)).items;
      },
      choose: (title) => this.choose(title),
    });
    this.soon = debounced(WAIT, () => this.refresh());
    this.settings();
    this.showRatings();
    this.showModels();
    this.refresh();
  }

  /** The model that answers: the chosen one, else the service's default. */
  get model() {
    const ranking = this.models.filter((each) => each.can.recommend);
    const chosen = ranking.find((each) => each.name === this.store.model);
    return chosen ?? ranking.find((each) => each.default) ?? ranking[0];
  }

  /** The one beside it, or undefined. */
  get other() {
    const { other } = this.store;
    const able = (each) => each.can.recommend && each !== this.model;
    return this.models.find((each) => each.name === other && able(each));
  }

  column() {
    const column = new Column({
      rate: (title, rating) => this.rate(title, rating),
      rated: (key) => this.store.ratingOf(key),
      again: () => this.refresh(),
      say,
    });
    column.root.addEventListener("drawn", () => this.mark());
    return column;
  }

  choose(title) {
    this.store.choose(title);
    this.showRatings();
    this.ratings.focus(keyOf(title.item));
  }

  rate(title, rating) {
    if (rating === null) {
      this.remove(title);
      return;
    }
    this.store.choose(title).rating = rating;
    this.showRatings();
    this.changed();
  }

  remove(title) {
    const inside = $("ratings").contains(document.activeElement);
    const place = this.store.remove(title);
    this.showRatings();
    if (inside && !this.ratings.focusPlace(place)) $("search").focus();
    this.changed();
  }

  startOver() {
    const before = this.store.ratings;
    this.store.ratings = [];
    this.showRatings();
    this.changed();
    const undo = element("button", { type: "button", class: "quiet" }, "Undo");
    undo.addEventListener("click", () => {
      this.store.ratings = before;
      this.showRatings();
      this.changed();
      $("search").focus();
    });
    $("undo").replaceChildren("Your ratings are removed.", undo);
    undo.focus();
  }

  /** Keep what there is now, and ask the models when nothing more comes for a moment. */
  changed() {
    this.store.save();
    this.soon();
  }

  settings() {
    $("again").addEventListener("click", () => this.startOver());
    $("model").addEventListener("change", () => {
      const before = this.model;
      this.store.model = $("model").value;
      if (this.store.other === this.store.model) this.store.other = before.name; // they swap
      this.switched();
    });
    $("other").addEventListener("change", () => {
      this.store.other = $("other").value || null;
      this.switched();
    });
    $("strength").value = this.store.strength;
    $("strength").addEventListener("input", () => {
      this.store.strength = $("strength").valueAsNumber;
      this.showStrength();
      this.changed();
    });
  }

  switched() {
    this.showModels();
    this.showRatings(); // another scale, another control
    this.changed();
  }

  showRatings() {
    const { ratings, rated } = this.store;
    this.ratings.show(ratings, this.model.scale);
    $("count").textContent =
      rated.length && rated.length < ENOUGH ? `${rated.length} of ${ENOUGH}` : rated.length || "";
    $("none").hidden = ratings.length > 0;
    $("again").hidden = !ratings.length;
    $("jump").hidden = !rated.length;
    if (ratings.length) $("undo").replaceChildren();
    this.showStrength();
  }

  showModels() {
    const { model, other } = this;
    const named = (each) => `${visible(each.name)}${each.can.recommend ? "" : " (cannot rank)"}`;
    const option = (each, chosen) =>
      element(
        "option",
        { value: each.name, selected: each === chosen, disabled: !each.can.recommend },
        named(each),
      );
    $("model").replaceChildren(...this.models.map((each) => option(each, model)));
    const rest = this.models.filter((each) => each !== model);
    $("other").replaceChildren(
      element("option", { value: "" }, "nothing"),
      ...rest.map((each) => option(each, other)),
    );
    $("beside").hidden = !rest.some((each) => each.can.recommend);
    const label = model.has_titles ? "Search a title" : "Search an id";
    $("search-label").textContent = label;
    $("data").textContent = visible(model.card.data?.name ?? "");
    const shown = other ? [model, other] : [model];
    $("about").replaceChildren(...shown.map(about));
    this.showColumns(shown.length);
  }

  showColumns(count) {
    const shown = this.columns.slice(0, count).map((each) => each.root);
    if ($("columns").childElementCount !== count) $("columns").replaceChildren(...shown);
    $("columns").classList.toggle("two", count === 2);
    if (count < 2) this.columns[1].stop();
    this.mark();
  }

  showStrength() {
    const { strength, rated } = this.store;
    const against = `${Math.round(100 * strength)} % against popular titles`;
    const words = strength ? against : "The model’s own list";
    $("strength").disabled = !rated.length;
    $("strength").setAttribute("aria-valuetext", words);
    $("strength-hint").textContent = rated.length
      ? words
      : "For lists of your own: rate something.";
  }

  /** Ask the models that are shown; say what came, once all have answered. */
  async refresh() {
    const { model, other, store } = this;
    const asked = other ? [model, other] : [model];
    const news = await Promise.all(
      asked.map((each, place) => {
        return this.columns[place].ask(each, quality(each), store.rated, store.strength);
      }),
    );
    if (news.every((each) => each !== null)) say(news.join(" "));
  }

  mark() {
    const [first, second] = this.columns;
    first.mark(this.other ? second.items : []);
    second.mark(first.items);
  }
}

/** Tell those who do not see the page what has changed. */
function say(text) {
  $("news").textContent = text;
}

/** One set of ratings for each data set, as far as the service knows which it is. */
function storeName(models) {
  const { card, id_kind: kind } = models.find((each) => each.default) ?? models[0];
  return `cofilter:ratings:${card.data?.name ?? ""}:${kind.item}`;
}

function theme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => $("theme").setAttribute("aria-pressed", String(dark()));
  $("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    keep("cofilter:theme", root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}

async function start() {
  $("problem").hidden = true;
  try {
    const { models } = await ask("models");
    if (!models.some((each) => each.can.recommend)) {
      failed("No model of this service can rank titles; `POST /predict` answers with ratings.");
      return;
    }
    new Page(models);
  } catch (error) {
    if (!("unreachable" in error)) throw error;
    failed(error.message);
  }
}

function failed(text) {
  const again = element("button", { type: "button" }, "Try again");
  again.addEventListener("click", start);
  $("problem").replaceChildren(element("p", {}, visible(text)), again);
  $("problem").hidden = false;
}

theme();
start();
