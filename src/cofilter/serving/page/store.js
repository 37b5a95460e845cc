// What a person has chosen, kept in the browser where it lets a page keep something.

import { keyOf, parsed, written } from "./service.js";

/** Read what was kept under a name; null where there is nothing, or nothing can be kept. */
export function kept(name) {
  try {
    return parsed(localStorage.getItem(name) ?? "null");
  } catch {
    return null; // damaged, or storage is not allowed: begin anew
  }
}

/** Keep a value under a name; whether that was possible. */
export function keep(name, value) {
  try {
    localStorage.setItem(name, written(value));
    return true;
  } catch {
    return false; // private windows and full disks: the page works until it is closed
  }
}

/** Ratings in the order in which titles were chosen, newest first, and the settings of the page. */
export class Store {
  #name;

  constructor(name) {
    this.#name = name;
    const old = kept(name);
    this.ratings = (Array.isArray(old?.ratings) ? old.ratings : []).filter(isRating);
    this.model = typeof old?.model === "string" ? old.model : null;
    this.other = typeof old?.other === "string" ? old.other : null;
    this.strength = old?.strength >= 0 && old.strength <= 1 ? old.strength : 0;
  }

  save() {
    const { model, other, strength } = this;
    return keep(this.#name, { ratings: this.rated, model, other, strength });
  }

  /** Those with a rating; a title that was only chosen has none yet. */
  get rated() {
    return this.ratings.filter((each) => each.rating !== null);
  }

  /** The rating of the title with a key; null where it has none. */
  ratingOf(key) {
    return this.#find(key)?.rating ?? null;
  }

  /** Put a title on top, or leave it where it is. */
  choose({ item, title, genres }) {
    const there = this.#find(keyOf(item));
    if (there) return there;
    const fresh = { item, title, genres, rating: null };
    this.ratings.unshift(fresh);
    return fresh;
  }

  /** Take a title away; the place where it was. */
  remove({ item }) {
    const place = this.ratings.findIndex((each) => keyOf(each.item) === keyOf(item));
    this.ratings.splice(place, 1);
    return place;
  }

  #find(key) {
    return this.ratings.find((each) => keyOf(each.item) === key);
  }
}

function isRating(each) {
  return (
    ["number", "bigint", "string"].includes(typeof each?.item) &&
    typeof each.title === "string" &&
    Array.isArray(each.genres) &&
    Number.isFinite(each.rating)
  );
}
