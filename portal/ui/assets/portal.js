// What pages can do more of where scripts run. Nothing needs it.
'use strict';

// Buttons that only a script can answer are hidden until there is one.
function offer(selector, act) {
  for (const button of document.querySelectorAll(selector)) {
    button.hidden = false;
    button.addEventListener('click', () => act(button));
  }
}

function say(button, text) {
  const words = button.querySelector('span') || button;
  const before = words.textContent;
  words.textContent = text;
  setTimeout(() => { words.textContent = before; }, 1500);
}

function enhance() {
  offer('[data-copy]', async (button) => {
    const from = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(from.textContent.trim());
      say(button, '✓');
    } catch {
      getSelection().selectAllChildren(from);
    }
  });
  offer('[data-download]', (button) => {
    const text = document.getElementById(button.dataset.from).textContent;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    link.download = button.dataset.download;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  offer('[data-generate]', (button) => {
    const field = document.getElementById(button.dataset.for);
    field.value = crypto.randomUUID();
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
  for (const choice of document.querySelectorAll('select[data-submit]')) {
    choice.addEventListener('change', () => choice.form.requestSubmit());
  }
  for (const field of document.querySelectorAll('input[data-filter]')) filterBy(field);
  ago();
}

// filterBy hides what does not hold the words that are typed, and opens what
// holds something that does.
function filterBy(field) {
  const tree = document.getElementById(field.dataset.filter);
  field.hidden = false;
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const leaf of tree.querySelectorAll('[data-text]')) {
      leaf.hidden = !words.every((w) => leaf.dataset.text.toLowerCase().includes(w));
    }
    for (const branch of tree.querySelectorAll('details')) {
      const any = branch.querySelector('[data-text]:not([hidden])') !== null;
      branch.closest('[data-branch]')?.toggleAttribute('hidden', !any);
      if (words.length) branch.open = any;
    }
  });
}

// ago adds to times how long ago they were; the time itself stays.
const spans = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
function ago() {
  for (const at of document.querySelectorAll('time[data-ago]')) {
    const seconds = (Date.parse(at.dateTime) - Date.now()) / 1000;
    const [unit, size] = spans.find(([, s]) => Math.abs(seconds) >= s) || spans[3];
    at.title = at.dateTime;
    at.dataset.ago = relative.format(Math.round(seconds / size), unit);
  }
}

// An element with data-live="seconds" and an id is read anew that often, as long as
// somebody looks at the page and does not work in the element. A page that nobody
// touches for a while falls silent, or it would keep its session alive for ever.
const patience = 15 * 60 * 1000;
let touched = Date.now();
for (const kind of ['pointerdown', 'keydown', 'scroll']) {
  addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
}

function live() {
  for (const part of document.querySelectorAll('[data-live][id]')) {
    setInterval(async () => {
      const old = document.getElementById(part.id);
      if (document.hidden || Date.now() - touched > patience || !old || old.contains(document.activeElement)) return;
      try {
        const answer = await fetch(location.href, { credentials: 'same-origin', redirect: 'error' });
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const fresh = page.getElementById(part.id);
        if (fresh) { old.replaceWith(fresh); ago(); }
      } catch { /* the next turn tries again */ }
    }, Number(part.dataset.live) * 1000);
  }
}

enhance();
live();
const narrow = matchMedia('(max-width: 52rem)');
const menu = document.querySelector('.menu > details');
if (menu && narrow.matches) menu.open = false;
document.querySelector('.fault')?.focus();
