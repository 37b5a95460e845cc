// How good a model was measured to be, from its card.

import { element, named, visible } from "./dom.js";

/** A line for the head of a list. */
export function quality({ card }) {
  const [name, own, popular] = figures(card);
  if (!own) return "Not measured";
  const against = popular ? `, popularity ${popular.value.toFixed(3)}` : "";
  return `${name} ${own.value.toFixed(3)}${against}`;
}

/** Everything that a reader should know before trusting a model. */
export function about(model) {
  const { card } = model;
  const part = element("section", {}, named(model.name, "h3"));
  for (const line of lines(model)) part.append(element("p", {}, visible(line)));
  const limits = card.limits.map((each) => element("li", {}, visible(each)));
  part.append(
    element("details", {}, element("summary", {}, "Limits"), element("ul", {}, ...limits)),
  );
  return part;
}

function lines({ card, users, items, ratings }) {
  const [name, own, popular] = figures(card);
  const found = [];
  if (own) {
    const among = card.metrics.users === null ? "" : `, ${counted(card.metrics.users)} test users`;
    const against = popular ? `; popularity ${withInterval(popular)}` : "";
    const level = Math.round(100 * card.metrics.confidence_level);
    found.push(`${name} ${withInterval(own)}${against} (${level} % intervals${among}).`);
  } else {
    found.push("Its quality was not measured.");
  }
  found.push(
    `Fitted on ${counted(card.fitted_on?.rows ?? ratings)} rows of ${counted(users)} users and ${counted(items)} titles${until(card)}.`,
  );
  if (card.data) {
    found.push(`Data: ${card.data.name}. Licence: ${card.data.licence ?? "not stated"}.`);
  }
  return found;
}

function figures(card) {
  const own = card.metrics?.model ?? {};
  const key = Object.keys(own).find((each) => each.startsWith("ndcg@"));
  return key ? [key.toUpperCase(), own[key], card.metrics.popularity[key]] : ["", null, null];
}

function withInterval({ value, low, high }) {
  const ends = low === undefined ? "" : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  return `${value.toFixed(3)}${ends}`;
}

function until(card) {
  const last = card.fitted_on?.until ?? card.data?.until;
  return last ? `, until ${last}` : "";
}

function counted(number) {
  return number.toLocaleString("en");
}
