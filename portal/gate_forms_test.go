package portal_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/internal/browsertest"
)

// alive lists the elements of a page that an attack made: those that run something, load
// something or lead elsewhere. The only links to other hosts are the addresses of service
// accounts' software, which say so.
const alive = `
	const bad = (e, a) => /^on|^style$|^srcdoc$/.test(a.name) ||
		/^(href|src|action|formaction|xlink:href|data|poster|ping|background)$/.test(a.name) && (/^\s*(javascript|data|vbscript):/i.test(a.value) ||
			new URL(a.value, location).host !== location.host && e.rel !== "noopener noreferrer nofollow")
	const alive = doc => [...doc.querySelectorAll("*")].filter(e => [...e.attributes].some(a => bad(e, a)) ||
		e.matches("script, link, img, iframe, object, embed, base, meta[http-equiv], style, video, audio, math, template, foreignObject, animate, set, use") &&
			!e.matches('head > [href^="/portal/assets/"], head > [src^="/portal/assets/"]')).map(e => e.outerHTML.slice(0, 300));
`

// pagesOf reads pages as a browser does, without showing them.
const pagesOf = alive + `
	const read = async (address, options) => {
		const answer = await fetch(address, options), kind = answer.headers.get("Content-Type") ?? ""
		const page = {at: new URL(answer.url).pathname, status: answer.status, odd: []}
		if (kind.startsWith("text/html")) {
			page.doc = new DOMParser().parseFromString(await answer.text(), "text/html")
			page.odd = alive(page.doc)
		}
		return page
	};
`

// script calls a function with arguments.
func script(t *testing.T, before, function string, args ...any) string {
	t.Helper()
	text, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("(async () => { %s return (%s)(...%s) })()", before, function, text)
}

// alive reads every page that was found as the browser does.
func (c *crawler) alive(tab *browsertest.Tab) {
	c.t.Helper()
	var faults []string
	tab.Eval(script(c.t, pagesOf, `async (pages, answers) => {
		const faults = [], blame = (at, page) => { for (const odd of page.odd) faults.push(at + " holds " + odd) }
		for (const at of pages) blame(at, await read(at))
		for (const [at, sent] of answers) blame(at, await read(at, {method: "POST", body: new URLSearchParams(sent)}))
		return faults
	}`, slices.Concat(c.more, slices.Concat(slices.Collect(maps.Values(c.found))...)), append([][2]string{}, c.answers...)), &faults)
	for _, f := range faults {
		c.t.Error(f)
	}
}

// filled is what became of the forms of a portal.
type filled struct {
	Forms  int      // with fields to type in
	Mute   []string // those of which no answer repeated what was typed
	Faults []string
}

// forms types attacks into every field of every form, and sends them on through the
// steps that follow. What the answers repeat is text, in faults and in what is made.
// done are the pages whose forms were tried in the other portal.
func (c *crawler) forms(t *testing.T, done map[string]bool) {
	tab := c.portal.enter(t, browsertest.Look{})
	tab.Expect("answers 400", "answers 4")
	var all filled
	for _, pattern := range slices.Sorted(maps.Keys(c.found)) {
		// The forms of the audit trail have more fields in the provider's portal.
		if done[below(pattern)] && !strings.Contains(pattern, "/monitor/audit") {
			continue
		}
		done[below(pattern)] = true
		var got filled
		little := "!typed" + quiet
		if strings.Contains(pattern, "/applications/") {
			little = "typed" + plain
		}
		tab.Eval(script(t, pagesOf, typing, c.found[pattern][0], `!typed`+attacks[0]+`'{{.}}`, little), &got)
		all = filled{all.Forms + got.Forms, append(all.Mute, got.Mute...), append(all.Faults, got.Faults...)}
	}
	for _, f := range all.Faults {
		t.Error(f)
	}
	t.Logf("%d forms; nothing repeats what is typed at %q", all.Forms, all.Mute)
	if all.Forms == 0 || len(all.Mute)*2 > all.Forms {
		t.Errorf("of %d forms these repeat nothing: %q", all.Forms, all.Mute)
	}
	c.send(t, http.MethodGet, c.portal.URL, c.session, nil).Want(t, http.StatusOK)
}

// typing fills in the forms of a page, each three times.
const typing = `async (at, loud, quiet) => {
	const out = {forms: 0, mute: [], faults: []}
	const writable = "textarea, input:not([type]), input[type=text], input[type=search], input[type=url], input[type=email]"
	const typed = writable + ", input[type=number], input[type=datetime-local]"
	const fill = (form, attack, all) => {
		const data = []
		for (const e of form.elements) {
			const fits = e.maxLength > 0 ? attack.slice(0, e.maxLength) : attack
			if (!e.name || e.disabled || e.type === "submit" || e.type === "file") continue
			if (e.type === "checkbox" || e.type === "radio") {
				const first = e.type === "radio" && !form.querySelector("[name=" + e.name + "]:checked") && form.querySelector("[name=" + e.name + "]") === e
				if (e.checked || e.required || first) data.push([e.name, e.value])
			} else if (e.type === "password") data.push([e.name, "a long password"])
			else if (e.name === "softwareId") data.push([e.name, "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"])
			else if (e.matches(writable)) data.push([e.name, fits])
			else data.push([e.name, all ? fits : e.value || (e.matches(typed) ? "1" : "")])
		}
		const button = form.querySelector("button.main") ?? form.querySelector("button")
		if (button?.name) data.push([button.name, button.value])
		return data
	}
	const send = async (form, at, data) => {
		const to = new URL(form.getAttribute("action") || at, location)
		if (form.method === "get") return read(to.pathname + "?" + new URLSearchParams(data))
		const body = form.enctype === "multipart/form-data" ? new FormData() : new URLSearchParams()
		for (const [name, value] of data) body.append(name, value)
		return read(to.pathname + to.search, {method: "POST", body})
	}
	const shows = (doc, attack) => doc.documentElement.textContent.includes(attack) ||
		[...doc.querySelectorAll("*")].some(e => [...e.attributes].some(a => a.value.includes(attack)))
	const count = (await read(at)).doc?.forms.length ?? 0
	for (let i = 0; i < count; i++) {
		let repeated = false, typable = false
		for (const [attack, all, steps] of [[loud, false, 5], [quiet, false, 5], [loud, true, 1]]) {
			let page = await read(at), form = page.doc?.forms[i]
			for (let step = 0; step < steps && form?.querySelector(typed); step++) {
				typable = true
				page = await send(form, page.at, fill(form, attack, all))
				if (page.status >= 500) out.faults.push(at + " is answered with " + page.status)
				for (const odd of page.odd) out.faults.push(at + " makes " + page.at + " hold " + odd)
				if (!page.doc) break
				repeated ||= shows(page.doc, attack)
				form = page.doc.querySelector("main form[method=post]")
			}
			if (!typable) break
		}
		out.forms += typable
		if (typable && !repeated) out.mute.push(at)
	}
	return out
}`
