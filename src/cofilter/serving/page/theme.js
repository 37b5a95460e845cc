// Loaded before the page is drawn, so that a chosen theme does not flash in.
"use strict";

try {
  const chosen = JSON.parse(localStorage.getItem("cofilter:theme"));
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing shows the theme of its system.
}
