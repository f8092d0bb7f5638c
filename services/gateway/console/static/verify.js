"use strict";
// Verifies one ledger entry in the browser: the text on the page gives the leaf hash, the leaf leads to the root, the
// signed note states that root, the key signed the note, witnesses cosigned it, and the platform's log holds it. It stops at the first step that fails and shows what was
// expected and what was found. Where the browser offers no cryptography it says so and never shows a tick.
(() => {
  const section = document.querySelector("[data-verify]");
  if (!section) return;
  const proof = JSON.parse(document.getElementById("proof").textContent);
  const texts = section.dataset;
  const verdict = section.querySelector("[data-verdict]");
  const encoder = new TextEncoder();
  const STEPS = ["leaf", "path", "checkpoint", "signature", "witness", "platform"];
  const ED25519_NOTE = 0x01; // signature type bytes of C2SP signed notes and of cosignatures
  const COSIGNATURE = 0x04;
  const PLATFORM = "00000000-0000-0000-0000-000000000000";

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

  const verified = async (raw, signature, text) => {
    const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
    return crypto.subtle.verify({ name: "Ed25519" }, key, signature, text);
  };
  // That one of the operator's checkpoint keys signed the note. A key that is known to be compromised proves nothing.
  const signed = async (note, keys, step) => {
    const known = [];
    for (const key of keys) {
      if (key.kty !== "OKP" || key.crv !== "Ed25519" || !key.x) continue;
      if ((key.dealix_use ?? "checkpoint") !== "checkpoint" || key.dealix_state === "compromised") continue;
      const raw = unbase64(key.x);
      for (const line of note.signatures) {
        const id = hex((await sha256(encoder.encode(`${line.name}\n`), Uint8Array.of(ED25519_NOTE), raw)).slice(0, 4));
        known.push(id);
        if (line.id !== id || line.name !== note.origin) continue;
        if (await verified(raw, line.signature, encoder.encode(note.text))) return;
        throw new Mismatch(step, id, hex(line.signature));
      }
    }
    throw new Mismatch(step, known.join(" ") || "—", note.signatures.map((line) => line.id).join(" ") || "—");
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
      await signed(parseNote(proof.note), keys, "signature");
    },
    async witness(keys, own) {
      if (!proof.witnesses.length) return "nowitness";
      let unknown = false;
      for (const one of proof.witnesses) {
        // A key file of one's own decides; without one there is only what this server says.
        const known = own ? unhex(one.public_key) : keys.filter((key) => key.dealix_use === "witness" && key.kid === one.name).map((key) => unbase64(key.x))[0];
        if (!known) { unknown = true; continue; }
        const id = hex((await sha256(encoder.encode(`${one.name}\n`), Uint8Array.of(COSIGNATURE), known)).slice(0, 4));
        const [dash, name, encoded] = one.line.trim().split(" ");
        const blob = unbase64(encoded ?? "");
        const found = `${dash} ${name} ${hex(blob.slice(0, 4))}`;
        if (found !== `— ${one.name} ${id}` || blob.length !== 76) throw new Mismatch("witness", `— ${one.name} ${id}`, found);
        const time = new DataView(blob.buffer).getBigUint64(4);
        const text = encoder.encode(`cosignature/v1\ntime ${time}\n${parseNote(proof.note).text}`);
        if (!(await verified(known, blob.slice(12), text))) throw new Mismatch("witness", one.name, hex(blob.slice(12)));
      }
      return unknown ? "unknownwitness" : undefined;
    },
    async platform(keys) {
      const anchor = proof.platform;
      if (!anchor) return "noplatform";
      const note = parseNote(anchor.checkpoint);
      const origin = `${proof.origin.slice(0, proof.origin.lastIndexOf("/"))}/${PLATFORM}`;
      if (note.origin !== origin) throw new Mismatch("platform", origin, note.origin);
      await signed(note, keys, "platform");
      const leaf = await sha256(Uint8Array.of(0), unhex(anchor.salt), encoder.encode(anchor.entry));
      if (hex(leaf) !== anchor.leaf_hash) throw new Mismatch("platform", anchor.leaf_hash, hex(leaf));
      const root = await rootOf(leaf, anchor.seq, note.size, anchor.path.map(unhex));
      if (!root || hex(root) !== note.root) throw new Mismatch("platform", note.root, root ? hex(root) : "—");
      const said = JSON.parse(anchor.entry).data;
      const [expected, found] = [`${proof.origin} ${proof.size} ${proof.root}`, `${said.origin} ${said.size} ${said.root}`];
      if (expected !== found) throw new Mismatch("platform", expected, found);
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
    const open = []; // what could not be looked at: said, never ticked
    for (const [at, name] of STEPS.entries()) {
      mark(name, "busy", texts.textBusy);
      try {
        const outcome = await checks[name](trust.keys, trust.own);
        if (outcome === "erased") { erased = true; mark(name, "waiting", texts.textErased); }
        else if (outcome) {
          const text = texts[`text${outcome[0].toUpperCase()}${outcome.slice(1)}`];
          open.push(`${section.querySelector(`[data-step="${name}"] .step-title`).firstChild.textContent.trim()}: ${text}.`);
          mark(name, "waiting", text);
        } else mark(name, "ok", texts.textOk);
      } catch (error) {
        const mismatch = error instanceof Mismatch ? error : new Mismatch(name, "—", String(error.message ?? error));
        mark(name, "fail", texts.textFail, mismatch);
        for (const later of STEPS.slice(at + 1)) mark(later, "waiting", texts.textSkip);
        conclude("fail", `${texts.textBroken} ${section.querySelector(`[data-step="${name}"] .step-title`).firstChild.textContent.trim()}`);
        return;
      }
    }
    const whose = trust.own ? texts.textOwn : texts.textElsewhere;
    conclude(erased ? "partial" : "ok", [erased ? texts.textErased : texts.textAll, ...open, whose].join(" "));
  };

  const button = section.querySelector("[data-verify-run]");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await run(); } finally { button.disabled = false; button.focus(); }
  });
})();
