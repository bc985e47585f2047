// Where in a product's picture the search matched, laid over the picture.

import { button, element } from "./elements.js";
import { words } from "./words.js";

const COLD_TO_HOT = [[68, 1, 84], [33, 145, 140], [253, 231, 37]]; // as in viridis: light and dark tell them apart, too
const ALPHA = 150; // of 255: the product stays to be seen below
const SIDE = 256; // of the painted map, in pixels

// `load()`: the map's values, row by row. The first click asks for them, later ones hide and show.
export function heatButton(picture, load) {
  const made = button("heat", words.heat, () => toggle(made, picture, load));
  made.ariaPressed = "false";
  return made;
}

async function toggle(made, picture, load) {
  if (made.ariaBusy === "true") return;
  const known = picture.querySelector("canvas");
  const on = known ? known.hidden : true;
  if (known) known.hidden = !on;
  else if (!await add(made, picture, load)) return;
  made.ariaPressed = String(on);
  made.textContent = on ? words.heatOff : words.heat;
}

async function add(made, picture, load) {
  made.ariaBusy = "true";
  made.textContent = words.heatBusy;
  try {
    picture.append(painted(await load(), picture.querySelector("img")));
    return true;
  } catch (error) {
    made.textContent = error.problem?.title ?? words.failed;
    return false;
  } finally {
    made.ariaBusy = "false";
  }
}

// As wide and high as the picture in proportion, so that both are fitted into the frame alike.
function painted(values, image) {
  const grid = element("canvas", "");
  [grid.width, grid.height] = [values[0].length, values.length];
  const cells = new ImageData(grid.width, grid.height);
  values.flat().forEach((value, at) => cells.data.set([...colour(value), ALPHA], 4 * at));
  grid.getContext("2d").putImageData(cells, 0, 0);
  const map = element("canvas", "");
  const scale = SIDE / Math.max(image.naturalWidth, image.naturalHeight);
  [map.width, map.height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  map.getContext("2d").drawImage(grid, 0, 0, map.width, map.height);
  map.role = "img";
  map.ariaLabel = words.heatMap(place(values));
  return map;
}

function colour(value) {
  const low = value < 0.5 ? 0 : 1;
  return COLD_TO_HOT[low].map((part, at) => part + (2 * value - low) * (COLD_TO_HOT[low + 1][at] - part));
}

// Where the hottest part is, in words: for whoever does not see the map.
function place(values) {
  const hottest = Math.max(...values.flat());
  if (hottest === 0) return words.nowhere;
  const row = values.findIndex((cells) => cells.includes(hottest));
  const third = (at, count) => Math.min(2, Math.floor((3 * at) / count));
  return words.place(third(row, values.length), third(values[row].indexOf(hottest), values[row].length));
}
