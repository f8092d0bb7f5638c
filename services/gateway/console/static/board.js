"use strict";
// Dragging a deal to another column sends the very form that its buttons send; a move that needs a reason opens that form instead.
(() => {
  const board = document.querySelector("[data-board]");
  if (!board) return;
  let dragged = null;

  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-deal]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.deal);
    dragged.dataset.dragged = "";
  });
  const end = () => {
    if (dragged) delete dragged.dataset.dragged;
    for (const column of board.querySelectorAll("[data-over]")) delete column.dataset.over;
  };
  board.addEventListener("dragend", () => { end(); dragged = null; });
  board.addEventListener("dragover", (event) => {
    const column = event.target.closest("[data-stage]");
    if (!dragged || !column || column.contains(dragged)) return;
    event.preventDefault();
    end();
    dragged.dataset.dragged = "";
    column.dataset.over = "";
  });
  board.addEventListener("drop", (event) => {
    const column = event.target.closest("[data-stage]");
    if (!dragged || !column || column.contains(dragged)) return;
    event.preventDefault();
    const form = dragged.querySelector("[data-move-form]");
    end();
    form.elements.stage.value = column.dataset.stage;
    if (form.elements.stage.selectedOptions[0]?.hasAttribute("data-reason")) {
      form.closest("details").open = true;
      form.elements.reason.required = true;
      form.elements.reason.focus();
      return;
    }
    form.requestSubmit();
  });
})();
