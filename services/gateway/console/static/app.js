"use strict";
// Theme, forms that go once, keyboard. Every page works without this file.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";

  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* private mode: the choice lasts for this page */ } },
  };

  // Theme: the server reads the cookie, so a saved choice is there before the first paint.
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const labelTheme = () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.value = dark() ? "light" : "dark";
      button.querySelector("span").textContent = dark() ? button.dataset.labelLight : button.dataset.labelDark;
    }
  };
  const chooseTheme = (theme) => {
    root.dataset.theme = theme;
    document.querySelector("meta[name=color-scheme]").content = theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `dealix_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    labelTheme();
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-theme-form]")) {
      event.preventDefault();
      chooseTheme(dark() ? "light" : "dark");
      return;
    }
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    // After this tick, so that the pressed button's own value still goes with the form.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) { button.disabled = true; button.setAttribute("aria-busy", "true"); }
    });
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) { button.disabled = false; button.removeAttribute("aria-busy"); }
    }
  });

  // Keyboard, by physical key: the same on an Arabic and an English layout.
  const SWITCH = "dealix_shortcuts_off";
  const cards = () => [...document.querySelectorAll("#main [data-card]")];
  const current = () => document.activeElement?.closest("[data-card]") ?? (cards().length === 1 ? cards()[0] : null);
  const typing = (element) => element?.closest("input, select, textarea, [contenteditable]") !== null
    && !element.matches("[type=checkbox], [type=radio], [type=submit], [type=button]");
  let waitingForPage = 0;

  const move = (step) => {
    const all = cards();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement?.closest("[data-card]"));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const follow = (selector, from = current()) => {
    const link = from?.querySelector(selector);
    if (link?.href && !link.hasAttribute("aria-disabled")) location.assign(link.href);
    return Boolean(link);
  };
  const confirmPage = () => {
    // Opens the page that asks; a key press alone never approves anything.
    const button = current()?.querySelector('[data-key="a"]');
    if (!button || button.disabled || button.hasAttribute("aria-disabled")) return;
    const target = button.dataset.confirm || button.href;
    if (target) location.assign(target);
  };
  const help = () => {
    const dialog = document.getElementById("help");
    if (dialog && !dialog.open) dialog.showModal();
  };
  const keys = {
    KeyJ: () => move(1),
    KeyK: () => move(-1),
    KeyO: () => follow('[data-key="o"]'),
    KeyR: () => follow('[data-key="r"]'),
    KeyA: confirmPage,
    KeyG: () => { waitingForPage = Date.now(); },
  };

  document.addEventListener("keydown", (event) => {
    if (store.get(SWITCH) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") || (event.target instanceof Element && typing(event.target))) return;
    if (event.code === "Slash") {
      const search = document.querySelector("[data-search]");
      if (event.shiftKey) help(); else if (search) search.focus(); else return;
      event.preventDefault();
      return;
    }
    if (event.shiftKey) return;
    if (waitingForPage && Date.now() - waitingForPage < 1500) {
      waitingForPage = 0;
      const place = document.querySelector(`[data-go="${CSS.escape(event.code)}"]`);
      if (place) { event.preventDefault(); location.assign(place.href); }
      return;
    }
    if (event.code === "Enter") {
      if (event.target.matches?.("[data-card]")) follow("[data-open]", event.target);
      return;
    }
    const act = keys[event.code];
    if (act) { event.preventDefault(); act(); }
  });

  document.addEventListener("DOMContentLoaded", () => {
    labelTheme();
    // On a phone a row of tabs scrolls: it opens at the one that is shown.
    for (const tab of document.querySelectorAll(".tabs [aria-current]")) tab.scrollIntoView({ block: "nearest", inline: "center" });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", labelTheme);
    for (const button of document.querySelectorAll("[data-help]")) button.addEventListener("click", help);
    for (const box of document.querySelectorAll("[data-shortcuts-switch]")) {
      box.checked = !store.get(SWITCH);
      box.addEventListener("change", () => store.set(SWITCH, box.checked ? "" : "1"));
    }
    for (const input of document.querySelectorAll(".file-input")) {
      const name = document.querySelector(`[data-file-name="${CSS.escape(input.id)}"] bdi`);
      const none = name.textContent;
      input.addEventListener("change", () => { name.textContent = [...input.files].map((file) => file.name).join(", ") || none; });
    }
    document.querySelector("[data-flash]")?.focus({ preventScroll: true });
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
})();
