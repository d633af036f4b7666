// SPDX-License-Identifier: GPL-3.0-or-later
// Asks for the page again every few seconds, and puts in what has changed. Everything works without it.
"use strict";
(() => {
  const parts = [...document.querySelectorAll("[data-live]")];
  const note = document.getElementById("live");
  if (!parts.length || !note) return;
  const every = Number(note.dataset.every) * 1000;
  const word = document.createElement("span");
  const button = document.createElement("button");
  button.className = "quiet";
  button.type = "button";
  note.append(word, " ", button);
  let paused = false;

  const say = (state) => {
    note.dataset.state = state;
    word.textContent = { live: "Live", paused: "Paused", lost: "No connection; trying again" }[state];
    button.textContent = paused ? "Go on" : "Pause";
  };
  button.addEventListener("click", () => { paused = !paused; say(paused ? "paused" : "live"); });

  // Nothing moves under somebody's cursor: not while they are in a part with the keyboard, or have marked some of its text.
  const busy = (part) => part.contains(document.activeElement) || (String(getSelection()) && part.contains(getSelection().anchorNode));

  const look = async () => {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) return location.reload(); // signed out
      if (!answer.ok) return say("lost");
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
        if (!next) return location.reload(); // what was waited for is there
        if (busy(part)) continue;
        for (const open of part.querySelectorAll("details[open][id]")) next.querySelector(`#${open.id}`)?.setAttribute("open", "");
        if (next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes);
      }
      say(paused ? "paused" : "live");
    } catch {
      say("lost");
    }
  };
  say("live");
  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
})();
