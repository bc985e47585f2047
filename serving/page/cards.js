// One product as a card, and why it stands where it stands.

import { similarTo } from "./address.js";
import { element, pageLink } from "./elements.js";
import { cartButton } from "./cart.js";
import { heatButton } from "./heat.js";
import { money } from "./money.js";
import { personal } from "./reasons.js";
import { asClick, asShown } from "./watching.js";
import { number, words } from "./words.js";

// `legs`: those that found any of the results; `best`: the first one's score; `heat(id)`, if any, gives a heat map.
export function card({ product, position, query, explanation, apart, behind }, legs, best, open, heat) {
  const thing = { product: product.id, position, query };
  const picture = frame(product);
  const title = element("h3", "", pointed(product, thing, open, ...marked(product.title, explanation?.keywords?.terms ?? [])));
  title.lang = product.language;
  title.title = product.title; // a long one is cut
  const opening = pointed(product, thing, open, picture);
  opening.setAttribute("aria-label", `${words.similar}: ${product.title}`);
  const made = element("li", "card", opening, element("div", "body",
    element("span", "brand", product.brand ?? ""), title,
    element("div", "facts", element("span", "price", money(product)), stars(product)),
    element("div", "facts", stock(product), similarLink(product, thing, open)),
    cartButton(product, thing),
  ), why({ position, explanation: explanation ?? {}, apart, behind }, legs, best, heat && picture.querySelector("img")
    ? heatButton(picture, () => heat(product.id)) : null));
  made.tabIndex = -1;
  return asShown(made, thing);
}

export function frame(product) {
  const source = product.image_links?.[0];
  const initial = () => element("span", "", [...product.title][0] ?? "");
  if (!source) return element("div", "picture", initial());
  const image = element("img", "");
  image.alt = ""; // the title stands right below
  image.loading = "lazy";
  image.addEventListener("error", () => image.replaceWith(initial()));
  image.src = source;
  return element("div", "picture", image);
}

function stars({ rating, rating_count: count }) {
  if (rating === undefined) return null;
  const shown = element("span", "rating", element("b", "", `★ ${rating.toFixed(1)}`));
  if (count) shown.append(` (${number(count)})`);
  shown.title = words.rating;
  return shown;
}

const stock = ({ availability }) => element("span", `stock ${availability}`, words.stock[availability] ?? availability);

function similarLink(product, thing, open) {
  const made = asClick(pageLink("similar", similarTo(product.id), open, words.similar), thing);
  made.setAttribute("aria-label", `${words.similar}: ${product.title}`);
  return made;
}

// A larger part of the card that does the same for pointers; keys need to come by one link a card only.
function pointed(product, thing, open, ...content) {
  const made = asClick(pageLink("pointed", similarTo(product.id), open, ...content), thing);
  made.tabIndex = -1;
  return made;
}

function why({ position, explanation, apart, behind }, legs, best, heat) {
  const list = element("dl", "");
  for (const leg of legs) {
    const found = explanation[leg];
    const bar = element("i", "");
    bar.style.width = `${found && best > 0 ? Math.max(0, (100 * found.contribution) / best) : 0}%`;
    bar.style.background = `var(--${leg})`;
    const score = found?.rank ? `${words.score} ${found.score.toFixed(3)}` : words.beyond;
    const figures = found ? `${score} · +${found.contribution.toFixed(3)}` : words.absent;
    const rank = found?.rank ? `${words.rank} ${found.rank}` : "–";
    list.append(element("dt", "", words.legs[leg], element("span", "", rank)));
    list.append(element("dd", "", element("span", "bar", bar), element("span", "figures", figures), matched(found)));
    if (leg === "image" && found?.rank && heat) list.lastChild.append(heat);
  }
  return legs.length ? element("details", "", element("summary", "", words.why),
    behind ? element("p", "behind", words.behind(words.stock[behind] ?? behind)) : null, list, personal(apart, position)) : null;
}

function matched(found) {
  if (!found?.terms?.length) return null;
  const separated = found.terms.flatMap((term) => [" ", element("mark", "", term)]);
  return element("span", "matched", `${words.matched}:`, ...separated);
}

// Terms hold letters, digits and apostrophes only, so that they are patterns as they are.
function marked(text, terms) {
  if (terms.length === 0) return [text];
  const whole = (term) => (/\p{Script=Han}/u.test(term) ? term : `(?<![\\p{L}\\p{N}])${term}(?![\\p{L}\\p{N}])`);
  const parts = text.split(new RegExp(`(${terms.map(whole).join("|")})`, "giu"));
  return parts.map((part, place) => (place % 2 ? element("mark", "", part) : part));
}
