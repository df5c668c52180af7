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
  for (const field of document.querySelectorAll('input[data-group]')) group(field);
  for (const list of document.querySelectorAll('ul[data-implies]')) along(list);
  ago();
}

// filterBy hides what does not hold the words that are typed, and opens what
// holds something that does.
function filterBy(field) {
  const tree = document.getElementById(field.dataset.filter);
  (field.closest('label') || field).hidden = false;
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') event.preventDefault(); // it sends no form
  });
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const leaf of tree.querySelectorAll('[data-text]')) {
      leaf.hidden = !words.every((w) => (leaf.dataset.text || leaf.textContent).toLowerCase().includes(w));
    }
    for (const branch of tree.querySelectorAll('details')) {
      const any = branch.querySelector('[data-text]:not([hidden])') !== null;
      branch.closest('[data-branch]')?.toggleAttribute('hidden', !any);
      if (words.length) branch.open = any;
    }
  });
}

// along ticks what a box that is ticked needs, and clears what needs a box that is
// cleared: data-implies of a box names the values of others, that of the list the
// element in which it is said.
function along(list) {
  const boxes = [...list.querySelectorAll('input[type=checkbox]')];
  const needs = (box) => (box.dataset.implies || '').split(' ');
  const words = document.getElementById(list.dataset.implies);
  list.addEventListener('change', ({ target: box }) => {
    const others = boxes.filter((b) => (box.checked ? needs(box).includes(b.value) : needs(b).includes(box.value)));
    const changed = others.filter((b) => !b.disabled && b.checked !== box.checked);
    for (const b of changed) b.checked = box.checked;
    const names = changed.map((b) => b.closest('label').querySelector('.name').textContent);
    words.textContent = names.length ? (box.checked ? words.dataset.ticked : words.dataset.cleared) + ' ' + names.join(', ') : '';
    for (const branch of list.querySelectorAll('[data-branch]')) {
      const count = branch.querySelector('[data-chosen]');
      if (count) count.textContent = branch.querySelectorAll('input:checked').length;
    }
  });
}

// group writes a code in capitals and with a dash after each so many characters,
// while somebody types at its end.
function group(field) {
  const size = Number(field.dataset.group);
  field.addEventListener('input', (event) => {
    if (event.inputType?.startsWith('delete') || field.selectionStart !== field.value.length) return;
    const bare = field.value.toUpperCase().replace(/[^A-Z0-9]/g, '');
    field.value = bare.match(new RegExp(`.{1,${size}}`, 'g'))?.join('-') ?? '';
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

// keepOpen opens in the new part what somebody has opened in the old one.
function keepOpen(old, fresh) {
  for (const box of old.querySelectorAll('details[id]')) {
    const same = [...fresh.querySelectorAll('details[id]')].find((d) => d.id === box.id);
    if (same) same.open = box.open;
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
    const turns = setInterval(async () => {
      const old = document.getElementById(part.id);
      if (document.hidden || Date.now() - touched > patience || !old || old.contains(document.activeElement)) return;
      try {
        const answer = await fetch(location.href, { credentials: 'same-origin', redirect: 'error' });
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const fresh = page.getElementById(part.id);
        if (fresh) { keepOpen(old, fresh); old.replaceWith(fresh); ago(); }
        if (fresh && !fresh.dataset.live) clearInterval(turns); // nothing more will change by itself
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
