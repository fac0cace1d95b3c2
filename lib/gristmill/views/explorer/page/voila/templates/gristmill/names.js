/* Sliders come without a name for those who do not see their label: each part takes that of the widget it belongs to. */
(function () {
  function name() {
    document.querySelectorAll(".widget-inline-hbox").forEach(function (widget) {
      var label = widget.querySelector(".widget-label");
      if (!label) { return; }
      widget.querySelectorAll(".noUi-handle").forEach(function (part) { part.setAttribute("aria-label", label.textContent); });
      widget.querySelectorAll(".widget-readout").forEach(function (part) {
        part.setAttribute("role", "textbox");
        part.setAttribute("aria-label", label.textContent + ", in figures");
      });
    });
  }
  new MutationObserver(name).observe(document.documentElement, { childList: true, subtree: true });
})();
