// The chart shows where one is, also after the detail beside it was swapped.
(() => {
  function markCurrent() {
    for (const link of document.querySelectorAll('#org-chart a[href^="/ui/org/"]')) {
      if (link.getAttribute('href') === location.pathname) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }
  document.addEventListener('htmx:after:swap', () => requestAnimationFrame(markCurrent));

  // Beside the chart on a wide screen, below it on a small one: then it comes into view.
  document.addEventListener('htmx:after:swap', ({ detail }) => {
    const panel = document.getElementById('detail');
    if (detail.ctx?.target !== panel) return;
    document.getElementById('org').classList.toggle('with-detail', document.getElementById('panel') !== null);
    panel.scrollTop = 0;
    if (panel.getBoundingClientRect().top > innerHeight * 0.6) panel.scrollIntoView();
    panel.focus({ preventScroll: true });
  });

  const current = document.querySelector('#org-chart svg [aria-current]');
  const box = document.getElementById('chart-scroll');
  // Where one is, else the top of the org, which may be far to the right.
  const shown = current ?? document.querySelector('#org-chart [data-seat]');
  const [seat, frame] = [shown?.getBoundingClientRect(), box?.getBoundingClientRect()];
  if (seat && frame && (seat.right > frame.right || seat.bottom > frame.bottom)) {
    box.scrollTo(seat.left - frame.left - frame.width / 3, current ? seat.top - frame.top - frame.height / 3 : 0);
  }
})();
