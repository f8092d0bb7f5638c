"use strict";
// Live updates. The stream carries signals only; the page then fetches its own fragment again, and merges it card by
// card. A card that someone is reading or about to decide on is never swapped away: it is marked as changed and can no
// longer be approved, because what it shows is no longer what would run.
(() => {
  const SETTLE = 4000; // how long "connected again" stays, in milliseconds

  const busy = (element) =>
    element.hasAttribute("data-pinned")
    || element.contains(document.activeElement)
    || element.querySelector("details[open]:not(.menu)") !== null;

  const markChanged = (card) => {
    card.dataset.stale = "";
    const note = card.querySelector("[data-changed]");
    if (note) note.hidden = false;
    for (const control of card.querySelectorAll("[data-commit]")) {
      if (control.tagName === "BUTTON") control.disabled = true;
      else { control.removeAttribute("href"); control.setAttribute("aria-disabled", "true"); control.setAttribute("role", "link"); }
    }
  };

  const mergeCards = (list, incoming, added) => {
    const fresh = new Map([...incoming.querySelectorAll(":scope > [data-card]")].map((card) => [card.dataset.card, card]));
    for (const card of [...list.querySelectorAll(":scope > [data-card]")]) {
      const next = fresh.get(card.dataset.card);
      if (next && next.dataset.rev === card.dataset.rev) {
        // Unchanged but for its clock, which may tick under a reader's eyes.
        const [clock, newClock] = [card.querySelector(".sla"), next.querySelector(".sla")];
        if (clock && newClock && clock.outerHTML !== newClock.outerHTML) clock.replaceWith(newClock);
        fresh.set(card.dataset.card, card);
      } else if (busy(card)) {
        markChanged(card);
        if (next) fresh.set(card.dataset.card, card);
      } else if (next) {
        card.replaceWith(next);
        added.push(next);
      } else {
        card.remove();
      }
    }
    // New cards take their place in the order that the server gave; cards that stay are not moved while focused.
    let before = null;
    for (const card of fresh.values()) {
      if (!card.isConnected || card.getRootNode() !== document) { if (before) before.after(card); else list.prepend(card); added.push(card); }
      before = card;
    }
  };

  const merge = (target, fragment) => {
    const added = [];
    for (const part of fragment.querySelectorAll("[data-part]")) {
      const old = target.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (old && !old.contains(document.activeElement) && old.outerHTML !== part.outerHTML) {
        old.replaceWith(part);
        added.push(part);
      }
    }
    const lists = [...target.querySelectorAll("[data-cards]")];
    [...fragment.querySelectorAll("[data-cards]")].forEach((incoming, i) => { if (lists[i]) mergeCards(lists[i], incoming, added); });
    return added;
  };

  htmx.defineExtension("cards", {
    isInlineSwap: (style) => style === "cards",
    handleSwap: (style, target, fragment) => (style === "cards" ? merge(target, fragment) : false),
  });

  const show = (selector, on) => { for (const element of document.querySelectorAll(selector)) element.hidden = !on; };
  let lost = false;

  const offline = () => { lost = true; show("[data-offline]", true); show("[data-online]", false); show("[data-live]", false); };
  const online = () => {
    show("[data-offline]", false);
    show("[data-live]", true);
    if (!lost) return;
    lost = false;
    show("[data-online]", true);
    setTimeout(() => show("[data-online]", false), SETTLE);
    refresh();
  };
  const refresh = () => htmx.trigger(document.body, "dealix:refresh");

  document.addEventListener("htmx:sseOpen", online);
  document.addEventListener("htmx:sseError", offline);
  document.addEventListener("htmx:sendError", (event) => { if (event.target.closest?.("#live")) offline(); });
  addEventListener("offline", offline);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "live") return;
    if (event.detail.xhr.status === 401) { location.reload(); return; }
    // A proxy's error page or a sign-in page must not be taken for the fragment: it has none of its parts.
    if (!/data-(part|cards)/.test(event.detail.serverResponse)) event.detail.shouldSwap = false;
  });
})();
