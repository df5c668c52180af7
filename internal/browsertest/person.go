package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// finder is what all lookups share. A person finds only what is visible.
const finder = `(() => {
	const tidy = s => (s ?? "").replace(/\s+/g, " ").trim()
	const seen = e => e.checkVisibility({visibilityProperty: true})
	const named = (selector, words) => [...document.querySelectorAll(selector)].find(
		e => seen(e) && (tidy(e.textContent) === words || tidy(e.getAttribute("aria-label")) === words)) ?? null
	const field = words => {
		const labels = [...document.querySelectorAll("label")].filter(seen)
		const label = labels.find(l => tidy(l.textContent) === words) ?? labels.find(l => tidy(l.textContent).startsWith(words))
		return label?.control ?? document.querySelector("[aria-label=" + JSON.stringify(words) + "]:is(input, select, textarea)")
	}
	return %s
})()`

func js(format string, words ...any) string {
	for i, w := range words {
		quoted, _ := json.Marshal(w) // a string always is JSON
		words[i] = string(quoted)
	}
	return fmt.Sprintf(finder, fmt.Sprintf(format, words...))
}

func named(selector, words string) chromedp.JSPath {
	return chromedp.JSPath(js("named(%s, %s)", selector, words))
}

func field(label string) chromedp.JSPath { return chromedp.JSPath(js("field(%s)", label)) }

// Press presses the button with these words, which sends a form.
func (b *Tab) Press(words string) {
	b.t.Helper()
	b.turn(chromedp.Click(named("button", words), chromedp.NodeVisible))
}

// Follow follows the link with these words.
func (b *Tab) Follow(words string) {
	b.t.Helper()
	b.turn(chromedp.Click(named("a[href]", words), chromedp.NodeVisible))
}

// Click clicks what a CSS selector finds first, and stays on the page.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Fill puts a value into the field with this label, in the place of what is there.
func (b *Tab) Fill(label, value string) {
	b.t.Helper()
	wholly := js(`(f => {
		f.focus()
		if (/^(date|datetime-local|time|month|week|color|range)$/.test(f.type) || !%[2]s) {
			f.value = %[2]s
			f.dispatchEvent(new Event("input", {bubbles: true}))
			f.dispatchEvent(new Event("change", {bubbles: true}))
			return true
		}
		f.select()
		return false
	})(field(%[1]s))`, label, value)
	b.do(chromedp.WaitEnabled(field(label)), chromedp.WaitVisible(field(label)))
	if !get(b, chromedp.Evaluate[bool](wholly)) {
		b.do(call(input.InsertText, input.InsertTextParams{Text: value}))
	}
}

// Choose chooses the option with these words in the field with this label.
func (b *Tab) Choose(label, option string) {
	b.t.Helper()
	b.do(choose(label, option)...)
}

// Filter chooses as Choose does where the choice alone asks for another page, as the
// filters of lists do where scripts run.
func (b *Tab) Filter(label, option string) {
	b.t.Helper()
	b.turn(choose(label, option)...)
}

func choose(label, option string) []chromedp.Action[chromedp.Void] {
	chosen := chromedp.Evaluate[bool](js(`(f => {
		const option = [...f.options].find(o => tidy(o.textContent) === %s && !o.disabled)
		if (!option) return false
		option.selected = true
		f.dispatchEvent(new Event("input", {bubbles: true}))
		f.dispatchEvent(new Event("change", {bubbles: true}))
		return true
	})(field(%s))`, option, label))
	return []chromedp.Action[chromedp.Void]{
		chromedp.WaitEnabled(field(label)), chromedp.WaitVisible(field(label)),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			ok, err := chosen(ctx, t)
			if err == nil && !ok {
				err = fmt.Errorf("%s has no option %q", label, option)
			}
			return err
		}),
	}
}

// Tick ticks the box or the choice with this label, or unticks it.
func (b *Tab) Tick(label string) {
	b.t.Helper()
	b.do(chromedp.Click(field(label), chromedp.NodeVisible))
}

// Value is what the field with this label holds.
func (b *Tab) Value(label string) string {
	b.t.Helper()
	return get(b, chromedp.Value(field(label)))
}

// Ticked reports whether the box or the choice with this label is ticked.
func (b *Tab) Ticked(label string) bool {
	b.t.Helper()
	return get(b, chromedp.Evaluate[bool](js("field(%s).checked", label)))
}

// Text is what a person reads in what a CSS selector finds first.
func (b *Tab) Text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(get(b, chromedp.Text(chromedp.CSS(selector))))
}

// Sees fails unless the page shows all of these words.
func (b *Tab) Sees(words ...string) {
	b.t.Helper()
	shown := b.Text("body")
	for _, w := range words {
		if !strings.Contains(shown, w) {
			b.t.Fatalf("%s does not show %q:\n%s", b.URL(), w, shown)
		}
	}
}

// SeesNot fails if the page shows one of these words.
func (b *Tab) SeesNot(words ...string) {
	b.t.Helper()
	shown := b.Text("body")
	for _, w := range words {
		if strings.Contains(shown, w) {
			b.t.Fatalf("%s shows %q:\n%s", b.URL(), w, shown)
		}
	}
}

// Eval evaluates a JavaScript expression, which may be a promise, into result; nil
// is for an expression without one.
func (b *Tab) Eval(expression string, result any) {
	b.t.Helper()
	if result == nil {
		b.do(chromedp.Evaluate[chromedp.Void](expression, chromedp.EvalAwaitPromise))
		return
	}
	value := get(b, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
	if err := json.Unmarshal(value, result); err != nil {
		b.t.Fatalf("%s is %s: %v", expression, value, err)
	}
}

// Keys presses keys, as chromedp/kb names them, where the focus is.
func (b *Tab) Keys(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// Enter presses the enter key, which sends a form or follows a link.
func (b *Tab) Enter() {
	b.t.Helper()
	b.turn(chromedp.KeyEvent("\r"))
}

// LogIn logs in at a portal: base is https://host/provider or …/tenant/{org}.
func (b *Tab) LogIn(base, name, password string) {
	b.t.Helper()
	b.Go(base + "/login")
	b.Fill("User name", name)
	b.Fill("Password", password)
	b.Press("Log in")
	if b.Status() != 200 || strings.HasSuffix(b.URL(), "/login") {
		b.t.Fatalf("%s could not log in:\n%s", name, b.where())
	}
}

// LogOut ends the session with the button behind the person's name.
func (b *Tab) LogOut() {
	b.t.Helper()
	b.Click("header .who > summary")
	b.Press("Log out")
}

// Overflows reports whether the page is wider than its window.
func (b *Tab) Overflows() (over bool) {
	b.t.Helper()
	b.Eval(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &over)
	return over
}
