// A transcript that grows is followed by whoever stands at its end, and leaves everybody else where they are.
(() => {
  const lines = document.getElementById('lines');
  if (!lines) return;
  const NEAR = 80;
  let isAtEnd = false;
  const look = () => {
    isAtEnd = lines.getBoundingClientRect().bottom <= innerHeight + NEAR;
  };
  look();
  addEventListener('scroll', look, { passive: true });
  addEventListener('resize', look);
  new MutationObserver(() => {
    document.querySelector('.nothing')?.remove();
    const below = lines.getBoundingClientRect().bottom - innerHeight;
    if (isAtEnd && below > 0) scrollBy(0, below + 24);
  }).observe(lines, { childList: true, subtree: true });
})();
