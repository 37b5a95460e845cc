// The field that finds titles: a combobox with a list, by the pattern of WAI-ARIA's practices.

import { debounced, element, named, visible } from "./dom.js";

const WAIT = 150; // milliseconds without a key before the service is asked

export class Search {
  #input;
  #list;
  #state;
  #find;
  #choose;
  #options = [];
  #active = -1;
  #controller = null;
  #soon;

  /** `find(text, signal)` gives titles, `choose(title)` takes one. */
  constructor({ input, list, state, find, choose }) {
    [this.#input, this.#list, this.#state] = [input, list, state];
    [this.#find, this.#choose] = [find, choose];
    this.#soon = debounced(WAIT, () => this.#look());
    input.addEventListener("input", () => {
      this.#activate(-1); // what is listed no longer answers what is typed
      this.#soon();
    });
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#take([...list.children].indexOf(option));
    });
  }

  async #look() {
    this.#controller?.abort();
    const text = this.#input.value.trim();
    if (!text) {
      this.#close();
      this.#state.textContent = "";
      return;
    }
    const controller = (this.#controller = new AbortController());
    try {
      this.#show(await this.#find(text, controller.signal), text);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#close();
      this.#state.textContent = `Search failed: ${error.message}`;
    }
  }

  #show(found, text) {
    this.#options = found;
    this.#list.replaceChildren(...found.map((each, place) => option(each, place)));
    this.#activate(found.length ? 0 : -1);
    const open = found.length > 0 && document.activeElement === this.#input;
    this.#list.hidden = !open;
    this.#input.setAttribute("aria-expanded", String(open));
    const count = found.length === 1 ? "1 found" : `${found.length} found`;
    this.#state.textContent = found.length
      ? `${count}; choose with the arrow keys and Enter.`
      : `Nothing found for “${visible(text)}”.`;
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#activate(-1);
  }

  #activate(place) {
    this.#active = place;
    for (const [at, each] of [...this.#list.children].entries()) {
      each.setAttribute("aria-selected", String(at === place));
    }
    const chosen = this.#list.children[place];
    if (chosen) {
      this.#input.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else {
      this.#input.removeAttribute("aria-activedescendant");
    }
  }

  #take(place) {
    const chosen = this.#options[place];
    this.#controller?.abort();
    this.#input.value = "";
    this.#state.textContent = "";
    this.#close();
    this.#choose(chosen);
  }

  #key(event) {
    const open = !this.#list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && open) {
      const count = this.#options.length;
      const from = this.#active < 0 && step < 0 ? 0 : this.#active;
      this.#activate((from + step + count) % count);
    } else if (event.key === "Enter" && open && this.#active >= 0) {
      this.#take(this.#active);
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      this.#look();
    } else if (event.key === "Escape" && (open || this.#input.value)) {
      if (!open) this.#input.value = "";
      this.#close();
      this.#state.textContent = "";
    } else {
      return;
    }
    event.preventDefault();
  }
}

function option(each, place) {
  const genres = each.genres.join(", ");
  const made = element(
    "li",
    { role: "option", id: `found-${place}`, "aria-selected": "false" },
    named(each.title),
  );
  if (genres) made.append(named(genres, "small"));
  return made;
}
