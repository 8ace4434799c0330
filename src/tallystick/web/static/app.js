// Everything here makes a page that already works a little quicker to use.
import { startCopy } from "./copy.js";
import { startEvents, startEventsOnce } from "./events.js";
import { startKeys } from "./keys.js";
import { startTheme } from "./theme.js";
import { showTimes, startZone } from "./zone.js";

startTheme();
startZone();
startCopy();
startKeys();
startEventsOnce();
startEvents();
document.addEventListener("htmx:after:swap", () => {
  showTimes();
  startEvents();
});
