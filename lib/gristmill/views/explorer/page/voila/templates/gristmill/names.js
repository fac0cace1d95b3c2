/* Voila takes the page out of its landmark, and sliders come without a name for those who do not see their label: both are given. */
(function () {
  function name() {
    var page = document.getElementById("rendered_cells");
    if (page && !document.querySelector("main #rendered_cells")) { page.setAttribute("role", "main"); }
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
