// What moved a result beside the search, up or down against the others of its answer.

import { element } from "./elements.js";
import { words } from "./words.js";

const OF_SEARCH = ["score", "position"];
const LEAST = 0.0005; // less is shown as nothing
const MOST = 5;

// A result's score and each part of it, less its mean over all results: what is the same for all moves none.
export function apart({ reranking }, results) {
  if (!reranking) return null;
  const all = results.flatMap((result) => result.reranking ?? []);
  const above = (of) => of(reranking) - all.reduce((sum, one) => sum + of(one), 0) / all.length;
  const names = Object.keys(reranking.parts);
  const parts = Object.fromEntries(names.map((name) => [name, above(({ parts: its }) => its[name] ?? 0)]));
  return { from: reranking.from_position, score: above(({ score }) => score), parts };
}

// The largest parts, and what they come to with the rest.
export function personal(moved, position) {
  const parts = Object.entries(moved?.parts ?? {});
  const beside = parts.filter(([name, part]) => !OF_SEARCH.includes(name) && Math.abs(part) >= LEAST)
    .sort(([, one], [, other]) => Math.abs(other) - Math.abs(one)).slice(0, MOST);
  if (beside.length === 0) return null;
  const search = parts.reduce((sum, [name, part]) => sum + (OF_SEARCH.includes(name) ? part : 0), 0);
  const most = Math.abs(beside[0][1]);
  return element("div", "personal", element("p", "", words.moved(moved.from, position)), element("p", "", `${words.beside}:`),
    element("ul", "", ...beside.map(([name, part]) => row(words.features[name] ?? name, part, most))),
    element("p", "", words.sum(signed(search), signed(moved.score - search), signed(moved.score))));
}

function row(name, part, most) {
  const bar = element("i", part > 0 ? "up" : "down");
  bar.style.width = `${(100 * Math.abs(part)) / most}%`;
  return element("li", "", element("span", "part", name, " ", element("span", "figures", signed(part))), element("span", "bar", bar));
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
