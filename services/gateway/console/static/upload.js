"use strict";
// Shows how far an upload is. The form is a plain one and works without this file.
(() => {
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const file = form.querySelector("input[type=file]");
  const drop = form.querySelector("[data-drop]");
  const box = form.querySelector("[data-upload-progress]");
  const bar = box.querySelector("progress");
  const status = form.querySelector("[data-upload-status]");
  const error = form.querySelector("[data-upload-error]");

  const say = (text) => {
    error.textContent = "";
    if (!text) return;
    const line = document.createElement("p");
    line.className = "field-error";
    line.textContent = text;
    error.append(line);
  };
  const tooBig = () => file.files[0] && file.files[0].size > Number(form.dataset.max);

  file.addEventListener("change", () => say(tooBig() ? form.dataset.tooBig : ""));
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.toggleAttribute("data-over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) {
        file.files = event.dataTransfer.files;
        file.dispatchEvent(new Event("change"));
      }
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (tooBig()) { say(form.dataset.tooBig); return; }
    const request = new XMLHttpRequest();
    const buttons = form.querySelectorAll("button");
    const release = () => { box.hidden = true; for (const button of buttons) button.disabled = false; };
    for (const button of buttons) button.disabled = true;
    say("");
    box.hidden = false;
    status.textContent = status.dataset.uploading;
    request.upload.onprogress = (progress) => {
      if (!progress.lengthComputable) return;
      bar.value = progress.loaded / progress.total;
      if (progress.loaded === progress.total) status.textContent = status.dataset.reading;
    };
    request.onload = () => {
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const refused = page.querySelector("[data-upload-error] .field-error");
      if (refused) { release(); say(refused.textContent.trim()); file.focus(); return; }
      if (request.status < 400 && request.responseURL) { location.assign(request.responseURL); return; }
      release();
      say((page.querySelector("h1")?.textContent ?? "").trim() || `${request.status}`);
    };
    request.onerror = () => { release(); document.querySelector("[data-offline]").hidden = false; };
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
})();
