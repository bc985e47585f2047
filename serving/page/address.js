// The state of the page lies in its address: parameters of v1/search under their own names, or `similar` alone.

const FILTERS = ["brand", "category", "availability", "filter", "price_min", "price_max"];
const NAMES = ["q", ...FILTERS, "as_words", "sort"];
const PARAMETERS = { brand: "brand", categories: "category", availability: "availability" };
const ATTRIBUTE = "attributes.";

export function fromAddress() {
  const given = [...new URLSearchParams(location.search)];
  const similar = given.find(([name, value]) => name === "similar" && value !== "");
  if (similar) return new URLSearchParams([similar]);
  return new URLSearchParams(given.filter(([name, value]) => NAMES.includes(name) && value !== ""));
}

export const link = (asked) => (asked.size ? `?${asked}` : location.pathname);

// A new text starts afresh: filters that fitted the last one may leave nothing of it.
export function begun(text, asked) {
  const given = { q: text, sort: asked.get("sort") ?? "" };
  return withOne(new URLSearchParams(), given);
}

export const similarTo = (id) => new URLSearchParams({ similar: id });

const condition = (field, value) =>
  field in PARAMETERS ? [PARAMETERS[field], String(value)] : ["filter", `${field}:${value}`];

export const isChosen = (asked, field, value) => {
  const [name, text] = condition(field, value);
  return asked.getAll(name).includes(text);
};

export function toggled(asked, field, value) {
  const [name, text] = condition(field, value);
  const kept = without(asked, name, text);
  if (kept.size === asked.size) kept.append(name, text);
  return kept;
}

export const without = (asked, name, text) =>
  new URLSearchParams([...asked].filter(([one, value]) => one !== name || value !== text));

export const withWords = (asked, text) => new URLSearchParams([...asked, ["as_words", text]]);

export function withOne(asked, values) {
  const changed = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(values)) {
    if (value === "") changed.delete(name);
    else changed.set(name, value);
  }
  return changed;
}

// Phrases of the text are filters too: without them it is taken by its words.
export function cleared(asked, phrases) {
  const kept = [...asked].filter(([name]) => !FILTERS.includes(name));
  return new URLSearchParams([...kept, ...phrases.map(({ text }) => ["as_words", text])]);
}

// Field and value of each choice except the price.
export function chosenValues(asked) {
  const named = Object.entries(PARAMETERS)
    .flatMap(([field, name]) => asked.getAll(name).map((value) => [field, value]));
  const attributes = asked.getAll("filter").filter((text) => text.includes(":"));
  return [...named, ...attributes.map((text) => [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)])];
}

export const hasFilters = (asked) => FILTERS.some((name) => asked.has(name));

export const chosenAttributes = (asked) =>
  [...new Set(chosenValues(asked).map(([field]) => field))].filter((field) => field.startsWith(ATTRIBUTE));
