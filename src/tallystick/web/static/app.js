// Everything here makes a page that already works a little quicker to use.
import { showTimes, startZone } from "./zone.js";
import { startTheme } from "./theme.js";
import { startCopy } from "./copy.js";
import { startKeys } from "./keys.js";
import { startEvents } from "./events.js";

startTheme();
startZone();
startCopy();
startKeys();
startEvents();
document.addEventListener("htmx:after:swap", (event) => {
  const swapped = event.target instanceof Element ? event.target : document;
  showTimes(swapped);
  startCopy(swapped);
  startEvents(swapped);
});
