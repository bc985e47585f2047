// A cart of this browser alone: putting in and buying are events, nothing is sold.

import { money } from "./money.js";
import { $, button, element } from "./elements.js";
import { tellNow } from "./events.js";
import { words } from "./words.js";

const MOST = 50;

let items = stored();

// `thing`: the product at its place of an answer, which the events name.
export function cartButton(product, thing) {
  const made = button("put", words.addToCart, () => add(product, thing));
  made.setAttribute("aria-label", `${words.addToCart}: ${product.title}`);
  return made;
}

export function watchCart() {
  $("open-cart").addEventListener("click", () => setOpen($("cart").hidden));
  $("buy").addEventListener("click", buy);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || $("cart").hidden) return;
    setOpen(false);
    $("open-cart").focus();
  });
}

export function showCart() {
  $("cart-count").textContent = items.length || "";
  $("buy").hidden = items.length === 0;
  $("cart-empty").hidden = items.length > 0;
  $("cart-items").replaceChildren(...items.map((item) => {
    const title = element("span", "", item.product.title);
    title.lang = item.product.language;
    const out = button("", "×", () => { items = items.filter((other) => other !== item); changed(); $("cart").focus(); });
    out.setAttribute("aria-label", `${words.takeOut}: ${item.product.title}`);
    return element("li", "", title, element("span", "price", money(item.product)), out);
  }));
}

export function emptyCart() {
  items = [];
  $("cart-said").textContent = "";
  changed();
}

function add({ id, title, language, price, currency }, thing) {
  tellNow("add_to_cart", thing);
  items = [...items, { product: { id, title, language, price, currency }, thing }].slice(-MOST);
  $("cart-said").textContent = words.inCart(title);
  changed();
}

function buy() {
  tellNow("purchase", ...items.map(({ thing }) => thing));
  emptyCart();
  $("cart-said").textContent = words.bought;
  $("cart").focus();
}

function setOpen(open) {
  $("cart").hidden = !open;
  $("open-cart").setAttribute("aria-expanded", open);
  if (open) $("cart").focus();
}

function changed() {
  try {
    localStorage.setItem("cart", JSON.stringify(items));
  } catch { /* then it lasts as long as the page */ }
  showCart();
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem("cart") ?? "[]");
  } catch {
    return [];
  }
}
