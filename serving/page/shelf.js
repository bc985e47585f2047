// The start page: what shoppers turn to now, and products of different kinds: what there is to find.

import { similarTo } from "./address.js";
import { frame } from "./cards.js";
import { $, element, pageLink } from "./elements.js";
import { money } from "./money.js";
import { ranked, recommended, search, trending } from "./server.js";
import { asClick, asShown } from "./watching.js";

const CANDIDATES = 100;
const MOST = 8;

export const fillShelves = (text, open, signal) =>
  Promise.all([fillForYou(open, signal), fillTrends(open, signal), fillShelf(text, open, signal)]);

// Each time anew: it changes with every click.
async function fillTrends(open, signal) {
  try {
    const { query_id: query, results } = await trending(MOST, signal);
    $("trends").replaceChildren(...results.map(({ product, position }) =>
      shown(tile(product, open), { product: product.id, position, query })));
    $("trending").hidden = results.length === 0;
  } catch { /* the page goes without */ }
}

// Each time anew, too; what is the same for everybody has shelves of its own.
async function fillForYou(open, signal) {
  try {
    const results = await recommended(MOST, signal);
    $("for-you-goods").replaceChildren(...results.map(({ product, position, query }) =>
      shown(tile(product, open), { product: product.id, position, query })));
    $("for-you").hidden = results.length === 0;
  } catch { /* the page goes without */ }
}

// What was shown to one shopper is not left for the next.
export function emptyShelves() {
  for (const [part, goods] of [["trending", "trends"], ["for-you", "for-you-goods"], ["shelf", "goods"]]) {
    $(part).hidden = true;
    $(goods).replaceChildren();
  }
}

// Filled once; the page goes without it where the shop has nothing or does not answer.
async function fillShelf(text, open, signal) {
  if (!$("shelf").hidden) return;
  try {
    const asked = new URLSearchParams({ q: text, interpret: false });
    const { results } = await search(asked, null, { limit: CANDIDATES, explain: false, track: false }, signal);
    const goods = new Map(oneOfEachKind(results.map(({ product }) => product)).slice(0, MOST).map((one) => [one.id, one]));
    if (goods.size === 0) return;
    const places = await ranked([...goods.keys()], MOST, signal);
    $("goods").replaceChildren(...places.map(({ product_id: product, position, query }) =>
      shown(tile(goods.get(product), open), { product, position, query })));
    $("shelf").hidden = false;
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

const shown = (link, thing) => asShown(element("li", "", asClick(link, thing)), thing);

function tile(product, open) {
  const title = element("span", "title", product.title);
  title.lang = product.language;
  return pageLink("tile", similarTo(product.id), open, frame(product), title, element("span", "price", money(product)));
}
