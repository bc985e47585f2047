// What the shopper does, told to the shop as events of User Behavior Insights. A thing is a product at a place of an
// answer: `product`, `position`, `query`. Each event has an id of its own: sent twice, it counts once.

import { client, session } from "./visitor.js";

const GATHER = 10_000; // milliseconds
const BATCH = 100; // a browser sends no more than 64 KiB for a page that it has left
const MOST_WAITING = 500; // while the shop does not answer; the newest are kept
const LATER = [429, 502, 503, 504];

let waiting = [];
let timer = 0;
let sending = false;

// With the next batch.
export function tell(action, thing, more = {}) {
  keep([eventOf(action, thing, more)]);
}

// At once, since it changes what the shopper sees next.
export function tellNow(action, ...things) {
  send(things.map((thing) => eventOf(action, thing, {})));
}

// The page may be gone a moment later: a beacon is sent all the same.
export function tellRest() {
  while (waiting.length > 0) {
    const batch = waiting.splice(0, BATCH);
    if (!navigator.sendBeacon("v1/events", new Blob([JSON.stringify(batch)], { type: "application/json" }))) {
      waiting.unshift(...batch);
      return;
    }
  }
}

export function forgetRest() {
  waiting = [];
}

export function watchSending() {
  addEventListener("online", flush);
}

function eventOf(action, { product, position, query }, more) {
  return {
    action_name: action,
    event_id: eventId(),
    timestamp: new Date().toISOString(),
    client_id: client(),
    session_id: session(),
    query_id: query,
    event_attributes: {
      object: { object_id: product, object_id_type: "product" },
      position: { ordinal: Number(position) },
      ...more,
    },
  };
}

// Pages without TLS have no randomUUID.
const eventId = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint32Array(4))].join("-");

function keep(events) {
  const own = events.filter((event) => event.client_id === client()); // a name that is forgotten by now stays so
  waiting = [...waiting, ...own].slice(-MOST_WAITING);
  timer ||= setTimeout(flush, GATHER);
}

async function flush() {
  clearTimeout(timer);
  timer = 0;
  if (sending || waiting.length === 0) return;
  sending = true;
  await send(waiting.splice(0, BATCH));
  sending = false;
  if (waiting.length > 0) timer ||= setTimeout(flush, GATHER);
}

// The shop goes on without those that it refuses.
async function send(events) {
  const body = JSON.stringify(events.length === 1 ? events[0] : events);
  const headers = { "Content-Type": "application/json" };
  try {
    const answer = await fetch("v1/events", { method: "POST", keepalive: true, headers, body });
    if (LATER.includes(answer.status)) keep(events);
  } catch { // offline, or the server is
    keep(events);
  }
}
