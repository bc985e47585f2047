// The start page: what shoppers turn to now, and products of different kinds: what there is to find.

import { similarTo } from "./address.js";
import { frame, money } from "./cards.js";
import { $, element, pageLink } from "./elements.js";
import { asClick } from "./events.js";
import { search, trending } from "./server.js";

const CANDIDATES = 100;
const MOST = 8;

// Each time anew: it changes with every click.
export async function fillTrends(open) {
  try {
    const { query_id: query, results } = await trending(MOST);
    $("trends").replaceChildren(...results.map(({ product, position }) =>
      element("li", "", asClick(tile(product, open), product, position, query))));
    $("trending").hidden = results.length === 0;
  } catch { /* the page goes without */ }
}

// Filled once; the page goes without it where the shop has nothing or does not answer.
export async function fillShelf(text, open) {
  if (!$("shelf").hidden) return;
  try {
    const asked = new URLSearchParams({ q: text, interpret: false });
    const { results } = await search(asked, null, { limit: CANDIDATES, explain: false });
    const goods = oneOfEachKind(results.map(({ product }) => product)).slice(0, MOST);
    $("goods").replaceChildren(...goods.map((product) => element("li", "", asClick(tile(product, open), product))));
    $("shelf").hidden = goods.length === 0;
  } catch { /* a search will tell what is wrong */ }
}

function oneOfEachKind(products) {
  const kinds = new Map();
  for (const product of products) {
    const kind = product.categories?.at(-1) ?? "";
    if (product.image_links?.length && !kinds.has(kind)) kinds.set(kind, product);
  }
  return [...kinds.values()];
}

function tile(product, open) {
  const title = element("span", "title", product.title);
  title.lang = product.language;
  return pageLink("tile", similarTo(product.id), open, frame(product), title, element("span", "price", money(product)));
}
