// What the shopper sees, clicks, and stays with.

import { tell, tellNow } from "./events.js";

const HALF = 0.5; // of a card
const LONG_ENOUGH = 1_000; // milliseconds

const things = new WeakMap(); // by part of the page
const timers = new Map();
const seen = new Set();
const stays = new Map(); // by what was opened: since when, and how long before that
let intended = null;

const observer = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    clearTimeout(timers.get(target));
    if (isIntersecting) timers.set(target, setTimeout(see, LONG_ENOUGH, target));
    else timers.delete(target);
  }
}, { threshold: HALF });

// A part that shows a product: it counts once for each answer, when half of it was to be seen for a second.
export function asShown(part, thing) {
  things.set(part, thing);
  if (thing.query) observer.observe(part);
  return part;
}

// A link that counts as a click on a product.
export function asClick(link, thing) {
  things.set(link, thing);
  link.dataset.product = thing.product;
  return link;
}

export function watchShopper() {
  document.addEventListener("click", ({ target, ctrlKey, metaKey, shiftKey }) => {
    const link = target.closest("a[data-product]");
    if (!link) return;
    tellNow("click", things.get(link));
    if (!ctrlKey && !metaKey && !shiftKey) intended = things.get(link); // else it opens elsewhere
  }, { capture: true }); // before the link brings the next answer
  document.addEventListener("toggle", ({ target }) => {
    const card = target.closest(".card");
    if (!card || !target.matches("details")) return;
    if (target.open) begin(target, things.get(card));
    else end(target);
  }, { capture: true }); // it does not bubble
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : resume()));
}

// The page shows something else now: perhaps the product that was clicked.
export function arrived() {
  leave();
  if (intended) begin("page", intended);
  intended = null;
}

export function leave() {
  for (const what of [...stays.keys()]) end(what);
}

function see(part) {
  timers.delete(part);
  if (document.hidden || !part.isConnected) return;
  observer.unobserve(part);
  const thing = things.get(part);
  const key = `${thing.query} ${thing.product}`;
  if (seen.has(key)) return;
  seen.add(key);
  tell("impression", thing);
}

const begin = (what, thing) => stays.set(what, { thing, spent: 0, since: performance.now() });

function end(what) {
  const stay = stays.get(what);
  if (!stay) return;
  stays.delete(what);
  const spent = spentOf(stay);
  if (spent >= LONG_ENOUGH) tell("dwell", stay.thing, { dwell_seconds: Math.round(spent) / 1000 });
}

const spentOf = ({ spent, since }) => spent + (since === null ? 0 : performance.now() - since);

function pause() {
  for (const stay of stays.values()) Object.assign(stay, { spent: spentOf(stay), since: null });
}

function resume() {
  for (const stay of stays.values()) stay.since ??= performance.now();
}
