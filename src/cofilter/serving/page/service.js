// Questions to the service, and what it says when it has no answer.

/** A question that was not answered: the service's reason, the field, the request's id. */
export class Problem extends Error {
  constructor(reason, { field = "", id = "", unreachable = false } = {}) {
    super(reason);
    Object.assign(this, { field, id, unreachable });
  }
}

/** JSON in which whole numbers beyond 2^53 keep all digits: ids may have 64 bits. */
export function parsed(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === "number" && /^-?\d{16,}$/.test(context?.source ?? "")
      ? BigInt(context.source)
      : value,
  );
}

/** What `parsed` reads. */
export function written(value) {
  return JSON.stringify(value, (_, each) =>
    typeof each === "bigint" ? JSON.rawJSON(String(each)) : each,
  );
}

/** An id as a key: 1 and "1" are two items. */
export function keyOf(item) {
  return `${typeof item === "string" ? "text" : "number"} ${item}`;
}

/** The answer to a POST, or to a GET where there is no body. */
export async function ask(path, body, signal) {
  const options = { signal };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "content-type": "application/json" };
    options.body = written(body);
  }
  let response, text;
  try {
    response = await fetch(new URL(path, document.baseURI), options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service cannot be reached.", { unreachable: true });
  }
  if (response.ok) return parsed(text);
  throw problemOf(response.status, text);
}

function problemOf(status, text) {
  const { reason, field, request_id: id } = errorIn(text);
  if (reason) return new Problem(reason, { field, id });
  return new Problem(`The service, or what stands before it, answered with status ${status}.`);
}

function errorIn(text) {
  try {
    return JSON.parse(text).error ?? {};
  } catch {
    return {}; // a proxy's page, not the service's answer
  }
}

const unknown = new Map(); // by model: keys of items that it has refused

/**
 * A list for somebody with these ratings, and how many of them the model could not use.
 *
 * Models may have been fitted on different items: a rating whose item a model does not know is left
 * out of what it is asked, since the service refuses it.
 */
export async function recommend(model, ratings, strength, signal) {
  if (!unknown.has(model.name)) unknown.set(model.name, new Set());
  const refused = unknown.get(model.name);
  for (;;) {
    const usable = ratings.filter((each) => !refused.has(keyOf(each.item)));
    try {
      const answer = await ask("recommend", request(model, usable, strength), signal);
      return { ...answer, unused: ratings.length - usable.length };
    } catch (error) {
      const place = /^ratings\.(\d+)\.item$/.exec(error.field ?? "")?.[1];
      if (place === undefined) throw error;
      refused.add(keyOf(usable[Number(place)].item));
    }
  }
}

function request(model, ratings, strength) {
  const body = {
    model: model.name,
    ratings: ratings.map(({ item, rating }) => ({ item, rating })),
    k: 10,
    explain: model.can.explain,
  };
  if (strength > 0) body.rerank = { kind: "popularity", strength };
  return body;
}
