"use strict";
// Verifies one ledger entry in the browser: the text on the page gives the leaf hash, the leaf leads to the root, the
// signed note states that root, and the key signed the note. It stops at the first step that fails and shows what was
// expected and what was found. Where the browser offers no cryptography it says so and never shows a tick.
(() => {
  const section = document.querySelector("[data-verify]");
  if (!section) return;
  const proof = JSON.parse(document.getElementById("proof").textContent);
  const texts = section.dataset;
  const verdict = section.querySelector("[data-verdict]");
  const encoder = new TextEncoder();
  const STEPS = ["leaf", "path", "checkpoint", "signature"];
  const ED25519_NOTE = 0x01; // signature type byte of C2SP signed notes

  class Mismatch extends Error {
    constructor(step, expected, got) { super(step); Object.assign(this, { step, expected, got }); }
  }

  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const unhex = (text) => {
    if (!/^([0-9a-f]{2})*$/i.test(text)) throw new TypeError("not hexadecimal");
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  };
  const unbase64 = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const join = (...parts) => {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) { whole.set(part, at); at += part.length; }
    return whole;
  };
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
  const node = (left, right) => sha256(Uint8Array.of(1), left, right);

  // RFC 9162 §2.1.3.2; sizes stay below 2^53, so division stands in for shifts that JavaScript limits to 32 bits.
  const rootOf = async (leaf, index, size, path) => {
    if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return null;
    let [position, last, hash] = [index, size - 1, leaf];
    for (const step of path) {
      if (last === 0 || step.length !== 32) return null;
      if (position % 2 === 1 || position === last) {
        hash = await node(step, hash);
        while (position % 2 === 0 && position !== 0) { position = Math.floor(position / 2); last = Math.floor(last / 2); }
      } else {
        hash = await node(hash, step);
      }
      position = Math.floor(position / 2);
      last = Math.floor(last / 2);
    }
    return last === 0 ? hash : null;
  };

  const parseNote = (note) => {
    const cut = note.lastIndexOf("\n\n");
    if (cut < 0) throw new Mismatch("checkpoint", "signed note", note.slice(0, 80));
    const text = note.slice(0, cut + 1);
    const [origin, size, root] = text.split("\n");
    const signatures = note.slice(cut + 2).split("\n").filter((line) => line.startsWith("— ")).map((line) => {
      const [, name, encoded] = line.split(" ");
      const bytes = unbase64(encoded ?? "");
      return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
    });
    return { text, origin, size: Number(size), root: hex(unbase64(root ?? "")), signatures };
  };

  const checks = {
    async leaf() {
      const entry = document.querySelector("[data-entry]");
      if (!entry || !proof.salt) return "erased";
      const found = hex(await sha256(Uint8Array.of(0), unhex(proof.salt), encoder.encode(entry.textContent)));
      if (found !== proof.leaf_hash) throw new Mismatch("leaf", proof.leaf_hash, found);
    },
    async path() {
      const found = await rootOf(unhex(proof.leaf_hash), proof.index, proof.size, proof.path.map(unhex));
      const shown = found ? hex(found) : "—";
      if (shown !== proof.root) throw new Mismatch("path", proof.root, shown);
    },
    async checkpoint() {
      const note = parseNote(proof.note);
      const expected = `${proof.origin} ${proof.size} ${proof.root}`;
      const found = `${note.origin} ${note.size} ${note.root}`;
      if (expected !== found) throw new Mismatch("checkpoint", expected, found);
    },
    async signature(keys) {
      const note = parseNote(proof.note);
      const known = [];
      for (const key of keys) {
        if (key.kty !== "OKP" || key.crv !== "Ed25519" || !key.x) continue;
        const raw = unbase64(key.x);
        for (const line of note.signatures) {
          const id = hex((await sha256(encoder.encode(`${line.name}\n`), Uint8Array.of(ED25519_NOTE), raw)).slice(0, 4));
          known.push(id);
          if (line.id !== id) continue;
          const imported = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
          if (await crypto.subtle.verify({ name: "Ed25519" }, imported, line.signature, encoder.encode(note.text))) return;
          throw new Mismatch("signature", id, hex(line.signature));
        }
      }
      const signed = note.signatures.map((line) => line.id).join(" ") || "—";
      throw new Mismatch("signature", known.join(" ") || "—", signed);
    },
  };

  const mark = (name, state, text, mismatch) => {
    const step = section.querySelector(`[data-step="${name}"]`);
    step.dataset.state = state;
    step.querySelector("[data-step-state]").textContent = text;
    const diff = step.querySelector("[data-step-diff]");
    diff.hidden = !mismatch;
    if (mismatch) {
      diff.querySelector("[data-expected]").textContent = mismatch.expected;
      diff.querySelector("[data-got]").textContent = mismatch.got;
    }
  };
  const conclude = (result, text) => { section.dataset.result = result; verdict.textContent = text; };

  const supported = async () => {
    if (!globalThis.crypto?.subtle) return false;
    try {
      // The base point's encoding: a valid key, only to learn whether the algorithm is there.
      const point = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x58 : 0x66));
      await crypto.subtle.importKey("raw", point, { name: "Ed25519" }, false, ["verify"]);
      return true;
    } catch { return false; }
  };
  const chosenKeys = async () => {
    const file = section.querySelector("[data-trust-root]").files[0];
    if (!file) return { keys: proof.keys.keys ?? [], own: true };
    const parsed = JSON.parse(await file.text());
    if (!Array.isArray(parsed.keys)) throw new SyntaxError("no keys");
    return { keys: parsed.keys, own: false };
  };

  const run = async () => {
    for (const name of STEPS) mark(name, "waiting", "");
    delete section.dataset.result;
    if (!(await supported())) { conclude("unable", texts.textUnable); return; }
    let trust;
    try { trust = await chosenKeys(); } catch { conclude("fail", texts.textBadkeys); return; }
    let erased = false;
    for (const [at, name] of STEPS.entries()) {
      mark(name, "busy", texts.textBusy);
      try {
        const outcome = await checks[name](trust.keys);
        if (outcome === "erased") { erased = true; mark(name, "waiting", texts.textErased); } else mark(name, "ok", texts.textOk);
      } catch (error) {
        const mismatch = error instanceof Mismatch ? error : new Mismatch(name, "—", String(error.message ?? error));
        mark(name, "fail", texts.textFail, mismatch);
        for (const later of STEPS.slice(at + 1)) mark(later, "waiting", texts.textSkip);
        conclude("fail", `${texts.textBroken} ${section.querySelector(`[data-step="${name}"] .step-title`).firstChild.textContent.trim()}`);
        return;
      }
    }
    const whose = trust.own ? texts.textOwn : texts.textElsewhere;
    conclude(erased ? "partial" : "ok", `${erased ? texts.textErased : texts.textAll} ${whose}`);
  };

  const button = section.querySelector("[data-verify-run]");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await run(); } finally { button.disabled = false; button.focus(); }
  });
})();
