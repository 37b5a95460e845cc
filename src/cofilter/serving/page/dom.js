// Elements without markup: what comes from the data becomes text, never HTML.

const SVG = "http://www.w3.org/2000/svg";
const STAR =
  "m12 2.500 2.900 6.100 6.700.800-4.900 4.700 1.300 6.600L12 17.400 6 20.700l1.300-6.600L2.400 9.400l6.700-.800z";
// Control characters (a terminal's escapes) and those that turn the direction of text.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** An element with attributes (true: present, false, null or undefined: absent) and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Text of the data with its control characters made visible, apart from the direction around it. */
export function named(text, tag = "span", attributes = {}) {
  return element(tag, { dir: "auto", ...attributes }, visible(text));
}

/** A text whose control characters are shown by their codes: \x1b for an escape. */
export function visible(text) {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length < 3 ? `\\x${code.padStart(2, "0")}` : `\\u${code}`;
  });
}

/** A drawn star; what it means is said by the text beside it. */
export function star() {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  picture.classList.add("picture");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", STAR);
  picture.append(path);
  return picture;
}

/** A function that runs once, some time after its last call. */
export function debounced(milliseconds, run) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), milliseconds);
  };
}
