package portal_test

import (
	"strings"
	"testing"

	"causeway/internal/browsertest"
)

// focusable counts what somebody must be able to reach, less the tabs that are there
// already.
const focusable = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
	.filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true})).length`

// focused tells where the focus is, whether one sees it, and whether it was there
// before.
const focused = `(e => {
	const style = getComputedStyle(e), box = e.getBoundingClientRect(), again = e.dataset.reached === "yes"
	e.dataset.reached = "yes"
	return {
		name: e.outerHTML.slice(0, 200), body: e === document.body, again,
		seen: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none")
			&& box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
	}
})(document.activeElement)`

// TestKeyboard logs in, goes past the menu, reaches everything and logs out without
// a mouse.
func TestKeyboard(t *testing.T) {
	w := start(t)
	for _, look := range []browsertest.Look{{}, {Width: 360, NoScript: true}} {
		tab := browsertest.Open(t, look)
		tab.Go(w.Acme.URL)
		tab.Keys(w.Acme.Admin.User + "\t" + w.Acme.Admin.Password)
		tab.Enter()
		if tab.URL() != w.Acme.URL {
			t.Fatalf("the login leads to %s", tab.URL())
		}
		tab.Keys("\t")
		if got := tab.Text(":focus"); got != "Skip to the content" {
			t.Fatalf("the first that is reached is %q", got)
		}
		tab.Keys("\r")
		var main string
		if tab.Eval(`document.activeElement.id`, &main); main != "main" {
			t.Errorf("the link to the content leads to %q", main)
		}
		tab.Go(w.Acme.URL)
		w.reach(t, tab)
		tab.Eval(`document.querySelector("header .who > summary").focus()`, nil)
		tab.Keys("\r")
		for range 5 {
			tab.Keys("\t")
			if tab.Text(":focus") == "Log out" {
				break
			}
		}
		tab.Enter()
		if !strings.Contains(tab.URL(), "/login") {
			t.Errorf("the last key leads to %s", tab.URL())
		}
	}
}

// reach presses the tab key until everything was reached.
func (w *world) reach(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	var all int
	tab.Eval(focusable, &all)
	for n := range all {
		tab.Keys("\t")
		var at struct {
			Name              string
			Body, Again, Seen bool
		}
		tab.Eval(focused, &at)
		if at.Body || at.Again {
			t.Fatalf("the tab key reaches %d of %d, then %s", n, all, at.Name)
		}
		if !at.Seen {
			t.Errorf("one does not see the focus on %s", at.Name)
		}
	}
}
