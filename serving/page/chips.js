// What narrows the results, each with a way to take it off.

import { chosenValues, cleared, hasFilters, toggled, withOne, withWords } from "./address.js";
import { button, element } from "./elements.js";
import { fieldName, valueName, words } from "./words.js";

export function chips(asked, phrases, change) {
  const made = chosenValues(asked).map(([field, value]) =>
    chip(`${fieldName(field)}: ${valueName(field, value)}`, () => change(toggled(asked, field, value))));
  const [low, high] = [asked.get("price_min"), asked.get("price_max")];
  if (low !== null || high !== null) {
    const label = `${fieldName("price")}: ${range(low, high)}`;
    made.push(chip(label, () => change(withOne(asked, { price_min: "", price_max: "" }))));
  }
  if (phrases.length) made.push(element("span", "reading", words.phrases));
  for (const { text } of phrases) made.push(phraseChip(text, () => change(withWords(asked, text))));
  if (hasFilters(asked) || phrases.length > 1) {
    made.push(button("clear", words.clearAll, () => change(cleared(asked, phrases))));
  }
  return made;
}

function range(low, high) {
  if (low === null) return words.upTo(high);
  return high === null ? words.from(low) : words.between(low, high);
}

function chip(label, act) {
  const made = button("chip", label, act);
  made.append(element("span", "cross", "×"));
  made.setAttribute("aria-label", words.takeOff(label));
  return made;
}

function phraseChip(text, act) {
  const made = button("chip phrase", `“${text}”`, act);
  made.append(element("span", "cross", "×"));
  made.title = words.takeAsWords(text);
  made.setAttribute("aria-label", made.title);
  return made;
}
