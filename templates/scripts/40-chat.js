// The chat: Enter sends, the field grows and is emptied when the message was taken, commands are offered, and whoever stands at
// the end of the conversation stays there.
(() => {
  const text = document.getElementById('chat-text');
  const form = document.getElementById('chat-form');
  const offers = document.getElementById('chat-commands');
  if (!text) return;

  const HEIGHT_MAX = 200;
  function adjust() {
    text.style.height = 'auto';
    text.style.height = `${Math.min(text.scrollHeight + 2, HEIGHT_MAX)}px`;
  }

  text.addEventListener('input', () => {
    adjust();
    if (text.value.startsWith('/') || offers.childElementCount > 0) text.dispatchEvent(new Event('slash'));
  });
  text.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const [first] = offers.children;
    if (event.key === 'ArrowDown' && first) {
      event.preventDefault();
      first.focus();
    } else if (event.key === 'Escape' && first) offers.replaceChildren();
    else if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  offers.addEventListener('keydown', (event) => {
    const next = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
    if (event.key === 'Escape') offers.replaceChildren();
    if (next) event.preventDefault();
    if (next) (event.target[next] ?? text).focus();
    if (event.key === 'Escape') text.focus();
  });
  offers.addEventListener('click', ({ target }) => {
    const offer = target.closest('[data-fill]');
    if (!offer) return;
    text.value = offer.dataset.fill;
    offers.replaceChildren();
    text.focus();
    adjust();
  });

  let sent = '';
  form.addEventListener('submit', () => {
    sent = text.value;
  });
  document.addEventListener('htmx:after:request', ({ detail }) => {
    const { ctx } = detail;
    if (ctx?.sourceElement !== form || ctx.response?.status !== 204) return;
    document.getElementById('chat-problem').replaceChildren();
    offers.replaceChildren();
    if (text.value === sent) text.value = '';
    adjust();
    isAtEnd = true;
  });

  document.addEventListener('click', async ({ target }) => {
    const button = target.closest('[data-copy-code]');
    if (!button) return;
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  });

  const NEAR = 120;
  const log = document.getElementById('chat-log').parentElement;
  let isAtEnd = true;
  const below = () => document.documentElement.scrollHeight - innerHeight - scrollY;
  const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
  addEventListener(
    'scroll',
    () => {
      isAtEnd = below() < NEAR;
    },
    { passive: true },
  );
  new MutationObserver(() => isAtEnd && toEnd()).observe(log, { childList: true, subtree: true, characterData: true });
  if (!location.hash) toEnd();
})();
