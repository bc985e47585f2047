// Questions to the server. Each throws `Refused` where the server answers with a problem.

import { client, session } from "./visitor.js";

export const PAGE_SIZE = 24;
const MAX_DEPTH = 1000; // the server gives no page that ends below
const MOST_FACETS = 20; // nor counts more fields at once
const SIMILAR = 12;

export class Refused extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

export async function search(asked, picture, { offset = 0, limit = PAGE_SIZE, facets = [], explain = true, track = true }, signal) {
  limit = Math.min(limit, MAX_DEPTH - offset);
  const counted = facets.slice(0, MOST_FACETS).map((field) => ["facet", field]);
  const rest = [["offset", offset], ["limit", limit], ["explain", explain], ["track", track], ...visitor(), ...counted];
  const content = await answered(picture
    ? await fetch("v1/search", { method: "POST", body: form(asked, rest, picture), signal })
    : await fetch(`v1/search?${new URLSearchParams([...asked, ...rest])}`, { signal }));
  const next = offset + limit;
  const { matches, exact } = content.total;
  const isLeft = next < matches || (!exact && content.results.length === limit);
  return { ...named(content), next: !content.nearest && next < MAX_DEPTH && isLeft ? next : null };
}

export async function similar(id, signal) {
  const address = `v1/products/${encodeURIComponent(id)}/similar?limit=${SIMILAR}&explain=true&${new URLSearchParams(visitor())}`;
  return { ...named(await answered(await fetch(address, { signal }))), next: null };
}

// The values of each row, from 0 to 1.
export async function heatMap(id, asked, picture) {
  const address = `v1/products/${encodeURIComponent(id)}/heatmap`;
  const { values } = await answered(picture
    ? await fetch(address, { method: "POST", body: form(asked, [], picture) })
    : await fetch(`${address}?${asked}`));
  return values;
}

export async function trending(limit, signal) {
  return answered(await fetch(`v1/trending?${new URLSearchParams([["limit", limit], ...visitor()])}`, { signal }));
}

// For this browser: empty where it has done nothing yet that says what it likes.
export async function recommended(limit, signal) {
  const asked = new URLSearchParams([["limit", limit], ["personal", true], ["session_id", session()], ...now()]);
  const address = `v1/users/${encodeURIComponent(client())}/recommendations?${asked}`;
  return named(await answered(await fetch(address, { signal }))).results;
}

// Products that the page has chosen by itself, as an answer of their own: `product_id`, `position`, `query` of each.
export async function ranked(ids, limit, signal) {
  const candidates = ids.map((id) => ({ product_id: id }));
  const body = JSON.stringify({ candidates, limit, ...Object.fromEntries(visitor()) });
  const headers = { "Content-Type": "application/json" };
  return named(await answered(await fetch("v1/rank", { method: "POST", headers, body, signal }))).results;
}

// Whether the shop has taken it.
export async function forget(id) {
  return (await fetch(`v1/users/${encodeURIComponent(id)}`, { method: "DELETE" })).ok;
}

const visitor = () => [["client_id", client()], ["session_id", session()], ...now()];

// What is chosen at this time of the shopper's day comes first.
const now = () => [["utc_offset_minutes", -new Date().getTimezoneOffset()]];

// Each result knows its answer: more of them come with answers of their own.
const named = (content) =>
  ({ ...content, results: content.results.map((result) => ({ ...result, query: content.query_id })) });

function form(asked, rest, picture) {
  const body = new FormData();
  for (const [name, value] of [...asked, ...rest]) body.append(name === "q" ? "text" : name, value);
  body.set("image", picture, picture.name || "picture");
  return body;
}

async function answered(response) {
  const content = await response.json();
  if (!response.ok) throw new Refused(content);
  return content;
}
