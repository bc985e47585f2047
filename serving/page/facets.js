// The panel of choices: how many of the matches have each value of a field.

import { chosenAttributes, chosenValues, isChosen, toggled, withOne } from "./address.js";
import { button, element } from "./elements.js";
import { fieldName, number, valueName, words } from "./words.js";

export const FIELDS = ["categories", "brand", "price", "availability"];
const MOST_ATTRIBUTES = 4;
const LONGEST_VALUE = 40;
const LONGEST_LIST = 8;
const FIRST_VALUES = 7;
const FEW = 10;
const unfolded = new Set();

// The attributes that most results have, but none that is another one for each of many products, such as a number.
export function attributeFields(results, asked) {
  const held = new Map();
  for (const { product } of results) {
    for (const [name, value] of Object.entries(product.attributes ?? {})) {
      const values = Array.isArray(value) ? value : [value];
      if (name.includes(":") || values.length > LONGEST_LIST || !values.every(isShort)) continue;
      held.set(name, [...(held.get(name) ?? []), ...values]);
    }
  }
  const groups = [...held].filter(([, values]) => values.length < FEW || new Set(values).size < values.length);
  const frequent = groups.sort(([one, some], [other, others]) => others.length - some.length || (one < other ? -1 : 1));
  const names = frequent.slice(0, MOST_ATTRIBUTES).map(([name]) => `attributes.${name}`);
  return [...new Set([...chosenAttributes(asked), ...names])];
}

const isShort = (value) => typeof value === "boolean" || (typeof value === "string" && value.length <= LONGEST_VALUE);

// `change(asked, field)` is called with what the shopper then asks for.
export function facetGroups(facets, asked, currency, change) {
  const made = facets.map((facet) =>
    facet.field === "price" ? priceGroup(facet, asked, currency, change) : valueGroup(facet, asked, change));
  return made.filter((group) => group !== null);
}

function valueGroup(facet, asked, change) {
  const found = facet.values.map(({ value }) => String(value));
  const missing = chosenValues(asked).filter(([field, value]) => field === facet.field && !found.includes(value));
  const values = [...facet.values, ...missing.map(([, value]) => ({ value, count: facet.exact ? 0 : null }))];
  const isAnyChosen = values.some(({ value }) => isChosen(asked, facet.field, value));
  if (values.length < 2 && !isAnyChosen) return null; // no choice
  const first = unfolded.has(facet.field) ? values
    : values.filter(({ value }, place) => place < FIRST_VALUES || isChosen(asked, facet.field, value));
  const choices = first.map((one) => choice(facet, one, asked, change));
  const rest = values.length - first.length;
  const unfold = button("unfold", words.moreValues(number(rest)), () => {
    unfolded.add(facet.field);
    const group = valueGroup(facet, asked, change);
    unfold.parentElement.replaceWith(group);
    group.querySelectorAll("input")[first.length].focus();
  });
  return element("fieldset", "", element("legend", "", fieldName(facet.field)), ...choices, rest ? unfold : null);
}

function choice(facet, { value, count }, asked, change) {
  const box = element("input", "");
  box.type = "checkbox";
  box.checked = isChosen(asked, facet.field, value);
  box.dataset.key = `${facet.field}:${value}`;
  box.addEventListener("change", () => change(toggled(asked, facet.field, value)));
  const name = element("span", "name", valueName(facet.field, value));
  const known = count === null ? "" : `${number(count)}${facet.exact ? "" : "+"}`;
  return element("label", "choice", box, name, element("span", "count", known));
}

function priceGroup(facet, asked, currency, change) {
  if (facet.lowest === facet.highest && !asked.has("price_min") && !asked.has("price_max")) return null;
  const low = priceInput("price_min", words.lowest, facet.lowest, asked);
  const high = priceInput("price_max", words.highest, facet.highest, asked);
  const apply = element("button", "apply", words.apply);
  const form = element("form", "range", low, element("span", "", "–"), high, apply);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change(withOne(asked, { price_min: low.value, price_max: high.value }));
  });
  const symbol = currency ? ` (${currency})` : "";
  return element("fieldset", "", element("legend", "", `${fieldName("price")}${symbol}`), form);
}

function priceInput(name, label, bound, asked) {
  const input = element("input", "");
  Object.assign(input, { type: "number", name, min: "0", step: "any", defaultValue: asked.get(name) ?? "" });
  input.placeholder = bound ?? "";
  input.dataset.key = name;
  input.setAttribute("aria-label", label);
  return input;
}
