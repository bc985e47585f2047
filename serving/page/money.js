// Prices in the words of the page.

import { words } from "./words.js";

export function money({ price, currency }) {
  if (price === undefined) return "";
  return new Intl.NumberFormat(words.tag, { style: "currency", currency }).format(price);
}

export const currencySymbol = (currency) =>
  new Intl.NumberFormat(words.tag, { style: "currency", currency }).formatToParts(0)
    .find(({ type }) => type === "currency").value;
