// How a title is rated: what the model's scale asks for.

import { element, star, visible } from "./dom.js";

let groups = 0; // radio buttons of one page need names of their own

/** What a scale is rated with: stars, halves, liked, or a number. */
export function kindOf([low, high]) {
  if (low === high) return "liked";
  if (low === 1 && high === 5) return "stars";
  return low === 0.5 && high === 5 ? "halves" : "number";
}

/** A rating in words, for those who see the control and those who do not. */
export function inWords(rating, scale) {
  const kind = kindOf(scale);
  if (kind === "liked") return "liked";
  if (kind === "number") return String(rating);
  return `${rating} ${rating === 1 ? "star" : "stars"}`;
}

/**
 * A control for a title's rating.
 *
 * `rating`: the present one, or null. `rate` is called with a new one; null takes it back.
 */
export function ratingControl({ title, scale, rating, rate }) {
  const shown = visible(title);
  return MAKERS[kindOf(scale)]({
    title: shown,
    label: `Your rating of ${shown}`,
    scale,
    rating,
    rate,
  });
}

function stars({ label, scale: [, high], rating, rate }) {
  const name = `rating-${++groups}`;
  const group = element(
    "fieldset",
    { class: "stars" },
    element("legend", { class: "hidden" }, label),
  );
  for (let value = 1; value <= high; value++) {
    const words = inWords(value, [1, high]);
    const radio = element("input", {
      type: "radio",
      name,
      value,
      class: "hidden",
      "aria-label": words,
    });
    radio.checked = rating === value;
    radio.addEventListener("change", () => rate(value));
    group.append(element("label", { class: "star", title: words }, radio, star()));
  }
  return group;
}

function halves({ label, scale: [low, high], rating, rate }) {
  const select = element("select", { "aria-label": label, class: "small" });
  select.append(
    element("option", { value: "", disabled: true, selected: rating === null }, "Rate"),
  );
  for (let value = high; value >= low; value -= 0.5) {
    const text = inWords(value, [low, high]);
    select.append(element("option", { value, selected: rating === value }, text));
  }
  select.addEventListener("change", () => rate(Number(select.value)));
  return select;
}

function liked({ title, scale: [, high], rating, rate }) {
  const button = element("button", {
    type: "button",
    class: "like",
    "aria-label": `Like ${title}`,
  });
  button.setAttribute("aria-pressed", String(rating !== null));
  button.append(star(), "Like");
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    rate(now ? high : null);
  });
  return button;
}

function number({ label, scale: [low, high], rating, rate }) {
  const hint = `${low} to ${high}`;
  const input = element("input", {
    type: "number",
    min: low,
    max: high,
    step: "any",
    class: "small",
  });
  input.setAttribute("aria-label", `${label}, ${hint}`);
  input.setAttribute("placeholder", hint);
  input.value = rating ?? "";
  input.addEventListener("change", () => {
    if (input.value !== "" && input.reportValidity()) rate(input.valueAsNumber);
  });
  return input;
}

const MAKERS = { stars, halves, liked, number };

/** The part of a control that has the focus, or would get it. */
export function focusable(control) {
  return control.querySelector?.("input:checked") ?? control.querySelector?.("input") ?? control;
}
