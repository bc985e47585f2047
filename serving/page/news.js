// What has just become searchable: one notice in a corner, which moves nothing else and comes seldom enough to be read.

import { similarTo } from "./address.js";
import { frame } from "./cards.js";
import { $, element, pageLink } from "./elements.js";
import { search } from "./server.js";
import { number, words } from "./words.js";

const GATHER = 1_000; // milliseconds, as all below
const SHOWN = 15_000;
const PAUSE = 8_000; // from one notice to the next
const TRY_AGAIN = 60_000; // after a server that takes no more streams
const MOST_KEPT = 20; // of a burst; the rest is counted

const waiting = new Map(); // by product id, the newest last
let uncounted = 0; // products beyond those
let stream = null;
let dismissed = false;
let gathering = 0;
let hiding = 0;
let quietUntil = 0;

// `state()`: what the page shows now, as `asked` and `isSearch`; `open(asked)` and `again()` are what the notice offers.
export function watchNews(state, open, again) {
  const show = () => showNotice(state, open);
  const hear = () => {
    if (!gathering) gathering = setTimeout(show, Math.max(GATHER, quietUntil - Date.now()));
  };
  // A hidden page holds no connection: a browser has few of them for one server.
  const connect = () => {
    if (document.hidden || dismissed) disconnect();
    else if (!stream) {
      stream = new EventSource("v1/indexed-products");
      stream.addEventListener("indexed", ({ data }) => { if (keep(JSON.parse(data))) hear(); });
      stream.addEventListener("lost", ({ data }) => { uncounted += Number(data); hear(); });
      stream.addEventListener("error", () => { // a browser comes back by itself unless the server answered otherwise
        if (stream?.readyState !== EventSource.CLOSED) return;
        stream = null;
        setTimeout(connect, TRY_AGAIN);
      });
    }
  };
  document.addEventListener("visibilitychange", connect);
  $("close-news").addEventListener("click", () => { dismissed = true; connect(); hide(); $("words").focus(); });
  $("show-news").addEventListener("click", () => { hide(); again(); });
  connect();
}

function disconnect() {
  stream?.close();
  stream = null;
  waiting.clear();
  uncounted = 0;
}

// Prices and stock change all day long: that is no news.
function keep(event) {
  if (event.outcome !== "indexed") return false;
  waiting.delete(event.product_id);
  waiting.set(event.product_id, event);
  if (waiting.size > MOST_KEPT) {
    waiting.delete(waiting.keys().next().value);
    uncounted += 1;
  }
  return true;
}

async function showNotice(state, open) {
  gathering = 0;
  const events = [...waiting.values()];
  const count = events.length + uncounted;
  waiting.clear();
  uncounted = 0;
  if (events.length === 0 || dismissed) return;
  quietUntil = Date.now() + PAUSE;
  const { asked, isSearch } = state();
  const found = isSearch ? await fittingOnes(asked, events) : 0;
  if (dismissed) return; // meanwhile
  const fitting = state().asked === asked ? found : 0; // of another search it says nothing
  const newest = events.at(-1);
  const title = pageLink("", similarTo(newest.product_id), open, newest.title);
  title.lang = newest.language;
  title.addEventListener("click", hide);
  const seconds = Math.max(...events.map((event) => event.seconds));
  const lead = count === 1 ? words.newOne : words.newMany(number(count));
  $("news-picture").replaceChildren(frame({ title: newest.title, image_links: newest.image ? [newest.image] : [] }));
  $("news-text").replaceChildren(
    element("p", "", `${lead} `, title),
    element("p", "quiet", fitting ? words.newFitting(fitting, count) : words.newAfter(number(seconds), count)),
  );
  $("show-news").hidden = fitting === 0;
  setShown(true);
}

// How many of them the search that is shown would find by now.
async function fittingOnes(asked, events) {
  const ids = events.map(({ product_id: id }) => ["filter", `id:${id}`]);
  try {
    const one = { limit: 1, explain: false, track: false };
    const { nearest, total } = await search(new URLSearchParams([...asked, ...ids]), null, one);
    return nearest ? 0 : total.matches;
  } catch { // then the notice goes without it
    return 0;
  }
}

function setShown(shown) {
  $("news").classList.toggle("shown", shown);
  $("close-news").hidden = !shown;
  clearTimeout(hiding);
  if (shown) hiding = setTimeout(hideUnlessUsed, SHOWN);
}

function hideUnlessUsed() {
  if ($("news").matches(":hover, :focus-within")) hiding = setTimeout(hideUnlessUsed, SHOWN);
  else hide();
}

function hide() {
  setShown(false);
  $("show-news").hidden = true;
  $("news-text").replaceChildren();
}
