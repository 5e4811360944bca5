// A transcript that grows is followed by whoever stands at its end, and leaves everybody else where they are.
(() => {
  const NEAR = 120;
  let follows = false;
  const lines = () => document.getElementById('lines');
  document.addEventListener('htmx:before:swap', ({ detail }) => {
    if (detail.ctx?.target?.id !== 'newer-lines') return;
    follows = lines().getBoundingClientRect().bottom <= innerHeight + NEAR;
    document.querySelector('.nothing')?.remove();
  });
  document.addEventListener('htmx:after:swap', ({ detail }) => {
    const box = lines();
    if (!follows || !box || !String(detail.ctx?.request?.action ?? '').includes('/lines?')) return;
    follows = false;
    const below = box.getBoundingClientRect().bottom - innerHeight;
    if (below > 0) scrollBy(0, below + 24);
  });
})();
