// Shows an answer: what was found, how the query was read, or why there is nothing.

import { chosenValues, hasFilters, withWords } from "./address.js";
import { card, frame } from "./cards.js";
import { chips } from "./chips.js";
import { $, element, pageLink, renew } from "./elements.js";
import { facetGroups } from "./facets.js";
import { currencySymbol, money } from "./money.js";
import { keepPlace, showGroups } from "./panel.js";
import { apart } from "./reasons.js";
import { number, words } from "./words.js";

// Whether the shop erases nobody who does not show its key.
export const asksForKey = () => "asksForKey" in document.body.dataset;

export function speak() {
  document.documentElement.lang = words.tag;
  for (const spot of document.querySelectorAll("[data-word]")) spot.textContent = words[spot.dataset.word];
  for (const spot of document.querySelectorAll("[data-sort]")) spot.textContent = words.sorts[spot.dataset.sort];
  for (const spot of document.querySelectorAll("[data-label]")) {
    spot.setAttribute("aria-label", words[spot.dataset.label]);
    if (spot.matches("button")) spot.title = words[spot.dataset.label];
  }
  $("forget").textContent = asksForKey() ? words.rename : words.forget;
  $("words").placeholder = words.placeholder;
  $("language").textContent = words.other;
  $("language").lang = words.tag === "en" ? "zh-Hans" : "en";
  $("learning").href = `learning?language=${words.tag}`;
}

// `answer` is null where nothing was asked, and has `busy` or `problem` where there is none yet, or none at all.
export function show(answer, asked, act) {
  document.body.classList.toggle("start", answer === null);
  $("results").setAttribute("aria-busy", answer?.busy ?? false);
  if (answer?.busy) { // the old results stay until the new ones are here
    $("status").textContent = words.busy;
    return;
  }
  const { results = [], notes = [], note_codes: codes = [], problem, product } = answer ?? {};
  document.title = [product ? words.similarTo(product.title) : asked.get("q"), "Millrace"].filter(Boolean).join(" · ");
  showStatus(answer, asked);
  showMessage(answer, asked);
  showCorrection(answer, asked, act.takeOff);
  showSubject(product);
  $("sort").value = asked.get("sort") ?? "";
  $("sorting").hidden = results.length === 0 || Boolean(product) || (answer.nearest && !asked.has("sort"));
  renew($("chips"), ...(answer && !problem && !product ? chips(asked, answer.understood.phrases, act.takeOff) : []));
  $("notes").replaceChildren(...notes.flatMap((note, at) => noteItem(codes[at], note)));
  $("results").replaceChildren(...cards(results, 0, act.open, product ? null : act.heat));
  $("more").hidden = !answer?.next;
  if (answer?.facets && isNarrowing(answer, asked)) keepPlace();
  else showGroups([], 0, "");
}

// `choices`: the facets of the answer.
export function showPanel(answer, asked, change) {
  const { choices, results, total } = answer;
  const currencies = new Set(results.map(({ product }) => product.currency).filter(Boolean));
  const currency = currencies.size === 1 ? currencySymbol([...currencies][0]) : "";
  const count = chosenValues(asked).length + (asked.has("price_min") || asked.has("price_max") ? 1 : 0);
  const groups = isNarrowing(answer, asked) ? facetGroups(choices, asked, currency, change) : [];
  showGroups(groups, count, words.total(number(total.matches), total.exact));
}

export function showMore(answer, from, act) {
  const added = cards(answer.results, from, act.open, act.heat);
  $("results").append(...added);
  $("more").hidden = !answer.next;
  showTotal(answer);
  (added[0] ?? $("status")).focus();
}

function cards(results, from, open, heat) {
  const legs = Object.keys(words.legs).filter((leg) => results.some((result) => leg in (result.explanation ?? {})));
  return results.slice(from).map((result) =>
    card({ ...result, apart: apart(result, results) }, legs, results[0].score, open, heat));
}

function showStatus(answer, asked) {
  const { results = [], nearest = false, problem } = answer ?? {};
  $("status").classList.toggle("hidden", Boolean(problem) || results.length === 0);
  $("status").classList.toggle("headline", nearest);
  if (!answer) $("status").textContent = "";
  else if (problem) $("status").textContent = problem.title ?? words.failed;
  else if (results.length === 0) $("status").textContent = words.nothing;
  else if (nearest) $("status").textContent = words.nearest(asked.get("q"), isFiltered(answer, asked));
  else showTotal(answer);
}

function showTotal({ results, total, next, took_ms: took }) {
  const count = total ?? { matches: results.length, exact: true };
  $("status").replaceChildren(
    element("b", "", words.total(number(count.matches), count.exact)),
    ` ${words.time(number(Math.max(1, Math.round(took))))}`,
    next ? ` · ${words.shown(number(results.length))}` : "",
  );
}

function showMessage(answer, asked) {
  const problem = answer?.problem;
  const empty = answer !== null && !problem && answer.results.length === 0;
  const filtered = (empty || problem) && isFiltered(answer, asked);
  const hint = filtered ? words.excluded : words.nothingHint;
  $("message").hidden = !empty && !problem;
  $("again").hidden = !problem;
  $("clear").hidden = !filtered;
  const [title, detail] = words.problems[problem?.type?.split("/").pop()] ?? [problem?.title, problem?.detail];
  $("message").querySelector("h2").textContent = problem ? title ?? words.failed : words.nothing;
  $("message").querySelector("p").textContent = problem ? detail ?? words.offline : hint;
}

// Words that no product has were replaced: which, and the way back.
function showCorrection(answer, asked, open) {
  const { corrections = [], text = "" } = answer?.understood ?? {};
  $("correction").hidden = corrections.length === 0;
  const back = corrections.reduce((kept, { text: word }) => withWords(kept, word), asked);
  const way = pageLink("", back, open, words.asWritten(asked.get("q") ?? ""));
  $("correction").replaceChildren(`${words.corrected} `, element("b", "", text.trim()), " ", way);
}

const isNarrowing = ({ results, nearest }, asked) => (results.length ? !nearest : hasFilters(asked));

const isFiltered = (answer, asked) => hasFilters(asked) || answer.understood?.phrases.length > 0;

// Only what concerns a shopper has words: that a model cannot read the query does not, as long as others answer.
const noteItem = (code, note) => (code in words.notes ? [element("li", "", words.notes[code](note))] : []);

function showSubject(product) {
  $("subject").hidden = !product;
  if (!product) return;
  const title = element("h2", "", words.similarTo(product.title));
  $("subject").replaceChildren(frame(product), element("div", "", title, element("span", "price", money(product))));
}
