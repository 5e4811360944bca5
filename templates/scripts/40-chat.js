// The chat: Enter sends, the field grows and is emptied when the message was taken, commands are offered, and whoever stands at
// the end of the conversation stays there. What is typed and not sent outlives other pages, a reload and a session that ended, in
// this tab.
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

  const draft = `helix-draft-${text.dataset.worker}`;
  /** Whatever changes the field. */
  function changed() {
    adjust();
    if (text.value === '') sessionStorage.removeItem(draft);
    else sessionStorage.setItem(draft, text.value);
  }
  if (text.value === '') text.value = sessionStorage.getItem(draft) ?? '';
  adjust();
  document.querySelector('form[action="/logout"]').addEventListener('submit', () => sessionStorage.removeItem(draft));

  text.addEventListener('input', () => {
    changed();
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
    changed();
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
    changed();
    isAtEnd = true;
  });
  document.addEventListener('htmx:error', ({ target }) => {
    if (target !== form) return;
    const said = document.createElement('p');
    said.className = 'alarm';
    said.textContent = 'The daemon does not answer. What you typed stays here; send it again when the page is live.';
    document.getElementById('chat-problem').replaceChildren(said);
  });

  // A new turn is brought before the log is asked for: the one before it takes its place among the others meanwhile.
  document.addEventListener('htmx:before:swap', ({ detail }) => {
    const now = document.getElementById('chat-turn');
    const shown = now.querySelector('.answer');
    const coming = detail.tasks?.find(({ target }) => target === now)?.fragment.querySelector('.answer');
    if (!shown || !coming || coming.id === shown.id) return;
    const turn = document.createElement('li');
    turn.className = 'turn';
    turn.id = shown.id.replace('answer', 'turn');
    turn.append(...now.childNodes, ...document.getElementById('chat-caused').childNodes);
    document.querySelector('.turns').append(turn);
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
  // A phone shows the conversation first, and the list of them when it is asked for.
  const recents = document.querySelector('.chat-recents');
  if (matchMedia('(max-width: 64rem)').matches && !location.search) recents.open = false;
  if (!location.hash && document.querySelector('.chat-log .you')) toEnd();
})();
