// What pages do beyond links and forms: say whether they are live, keys, and keeping one's place. Everything works without it.
(() => {
  const byId = (id) => document.getElementById(id);
  const live = byId('live');
  // On a phone the navigation is wider than the screen.
  const current = document.querySelector('.rail [aria-current]');
  if (current) current.closest('nav').scrollLeft = current.offsetLeft - innerWidth / 2;

  function showConnection(state, text) {
    const shown = byId('connection');
    if (!shown || shown.dataset.state === state) return;
    shown.dataset.state = state;
    shown.firstElementChild.textContent = text;
  }
  const retryMs = 3000;
  const again = () =>
    setTimeout(() => document.visibilityState === 'visible' && live.dispatchEvent(new Event('again')), retryMs);
  const isLive = (event) => event.target === live;
  document.addEventListener('htmx:sse:after:connection', () => showConnection('live', 'Live'));
  document.addEventListener('htmx:sse:error', () => showConnection('broken', 'Connecting again…'));
  document.addEventListener('htmx:sse:close', (event) => {
    if (!isLive(event)) return;
    showConnection('broken', 'Connecting again…');
    again();
  });
  // Only a first connection that failed ends up here; a broken one is taken up again by the extension.
  document.addEventListener('htmx:error', (event) => isLive(event) && again());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') showConnection('resting', 'Resting while hidden');
  });

  // Forms lead to a whole page; one that leads back to where we are keeps its place there.
  const place = 'helix-place';
  document.addEventListener('submit', (event) => {
    const { target: form } = event;
    const back = form.elements.namedItem('back');
    if (form.hasAttribute('data-stay') && back) back.value = location.pathname + location.search;
    const boxes = [...document.querySelectorAll('[data-keep-scroll][id]')].map((box) => [
      box.id,
      box.scrollLeft,
      box.scrollTop,
    ]);
    sessionStorage.setItem(place, JSON.stringify({ path: location.pathname, y: scrollY, boxes }));
    unsaved.delete(form);
  });
  const left = JSON.parse(sessionStorage.getItem(place) || 'null');
  sessionStorage.removeItem(place);
  if (left && left.path === location.pathname && !location.hash) {
    scrollTo(0, left.y);
    for (const [id, x, y] of left.boxes) byId(id)?.scrollTo(x, y);
  }

  // What is typed and not sent is not lost by a slip.
  const unsaved = new Set();
  document.addEventListener('input', ({ target }) => {
    const form = target.closest('form[data-guard]');
    if (form) unsaved.add(form);
  });
  const isUnsaved = () => [...unsaved].some((form) => form.isConnected);
  addEventListener('beforeunload', (event) => isUnsaved() && event.preventDefault());
  document.addEventListener('htmx:before:request', (event) => {
    const { ctx } = event.detail;
    const hit = [...unsaved].some((form) => form.isConnected && ctx.target?.contains?.(form) && ctx.target !== form);
    if (hit && !confirm('What you typed is not saved yet. Leave it?')) event.preventDefault();
    else if (hit) unsaved.clear();
  });

  document.addEventListener('click', async ({ target }) => {
    const button = target.closest('[data-copy]');
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.textContent;
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = said), 1500);
  });

  // Keys. Nothing happens while somebody types.
  let went = -Infinity;
  const isTyping = ({ target }) => target.closest('input, textarea, select, [contenteditable]') !== null;
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') return event.target.form?.requestSubmit();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') return closeSomething(event);
    if (isTyping(event)) return;
    if (event.key === '?') return byId('shortcuts')?.showModal();
    if (event.key === '/') return focusSearch(event);
    if (event.key === 'g') {
      went = event.timeStamp;
      return;
    }
    if (event.timeStamp - went < 1500) {
      went = -Infinity;
      return document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    }
    if (event.key.startsWith('Arrow')) moveInChart(event);
  });

  function focusSearch(event) {
    const search = document.querySelector('input[type=search]');
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }

  function closeSomething(event) {
    const open = event.target.closest?.('details[open]');
    if (open && !isTyping(event)) {
      open.open = false;
      open.querySelector('summary').focus();
      return;
    }
    document.querySelector('[data-close]')?.click();
  }

  /** To the nearest seat that lies in the arrow's direction. */
  function moveInChart(event) {
    const from = event.target.closest?.('[data-seat]');
    if (!from) return;
    const middle = (element) => {
      const box = element.getBoundingClientRect();
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    };
    const start = middle(from);
    const ahead = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    let best = null;
    for (const seat of from.closest('svg').querySelectorAll('[data-seat]')) {
      const { x, y } = middle(seat);
      const [dx, dy] = [x - start.x, y - start.y];
      const along = dx * ahead[0] + dy * ahead[1];
      if (seat === from || along < 4) continue;
      const distance = along + 2.5 * Math.abs(dx * ahead[1] + dy * ahead[0]);
      if (!best || distance < best.distance) best = { seat, distance };
    }
    if (!best) return;
    event.preventDefault();
    best.seat.focus();
    best.seat.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
})();
