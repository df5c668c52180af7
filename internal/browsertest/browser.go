// Package browsertest drives pages in headless Chromium as a person would: by the
// words on buttons, links and labels. Each tab watches itself: an error on the
// console, something that the page's own policy forbade, or a request to another
// host fails its test.
package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds one step of a person. It is for a loaded machine: a step that
// works ends when the page has what is waited for.
const patience = 60 * time.Second

var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel []context.CancelFunc
	err    error
}

// Main runs the tests of a package and ends the browser that they shared.
func Main(m *testing.M) int {
	code := m.Run()
	for i := len(browser.cancel) - 1; i >= 0; i-- {
		browser.cancel[i]()
	}
	return code
}

func start() {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		browser.err = errors.New("no Chromium: install the Debian package chromium")
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.WSURLReadTimeout(patience),
	)
	if os.Geteuid() == 0 { // Chromium's sandbox does not work for root
		options = append(options, chromedp.NoSandbox)
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	browser.cancel = append(browser.cancel, cancel)
	browser.ctx, cancel = chromedp.NewContext(alloc)
	browser.cancel = append(browser.cancel, cancel)
	browser.err = chromedp.Run(browser.ctx)
}

// Look is how a tab is looked at.
type Look struct {
	Width, Height int // of the window; 0 is 1440 by 900
	Dark          bool
	NoScript      bool
}

// Tab is what one person sees: other tabs do not share its cookies.
type Tab struct {
	t    testing.TB
	ctx  context.Context
	host string

	mu     sync.Mutex
	status int64
	wrong  []string
}

// Open opens an empty tab. Without a browser the test is skipped.
func Open(t testing.TB, look Look) *Tab {
	t.Helper()
	browser.once.Do(start)
	if browser.ctx == nil {
		t.Skip(browser.err)
	}
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	b := &Tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, w := range b.wrong {
			t.Errorf("the page: %s", w)
		}
	})
	if look.Width == 0 {
		look.Width, look.Height = 1440, 900
	}
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	chromedp.ListenTarget(ctx, b.hear)
	b.do(
		network.Enable(), log.Enable(), audits.Enable(), runtime.Enable(),
		emulation.SetDeviceMetricsOverride(int64(look.Width), int64(look.Height), 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}),
		emulation.SetScriptExecutionDisabled(look.NoScript),
	)
	return b
}

func (b *Tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, "exception: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			text, _ := json.Marshal(e.Args)
			b.wrong = append(b.wrong, "console: "+string(text))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			b.wrong = append(b.wrong, fmt.Sprintf("log (%s): %s", e.Entry.Source, e.Entry.Text))
		}
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeContentSecurityPolicyIssue {
			text, _ := json.Marshal(e.Issue.Details.ContentSecurityPolicyIssueDetails)
			b.wrong = append(b.wrong, "its policy forbade: "+string(text))
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "wss") && b.host != "" && u.Host != b.host {
			b.wrong = append(b.wrong, "it asked another host: "+e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			b.status = e.Response.Status
		} else if e.Response.Status >= 400 {
			b.wrong = append(b.wrong, fmt.Sprintf("%s answers %d", e.Response.URL, e.Response.Status))
		}
	}
}

func (b *Tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.where())
	}
}

// turn does what leads to another page, and waits until that is there.
func (b *Tab) turn(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.where())
	}
}

// where says, for a failure, what the tab shows.
func (b *Tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	var at, text string
	if err := chromedp.Run(ctx, chromedp.Location(&at), chromedp.Text("body", &text, chromedp.ByQuery)); err != nil {
		return err.Error()
	}
	return at + "\n" + text
}

// Go opens an address. What the page loads must come from the same host.
func (b *Tab) Go(address string) {
	b.t.Helper()
	if u, err := url.Parse(address); err == nil {
		b.mu.Lock()
		b.host = u.Host
		b.mu.Unlock()
	}
	b.turn(chromedp.Navigate(address))
}

// Status is that of the page.
func (b *Tab) Status() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.status)
}

// URL is the page's address.
func (b *Tab) URL() (at string) {
	b.t.Helper()
	b.do(chromedp.Location(&at))
	return at
}

// Press presses the button with these words, which sends a form.
func (b *Tab) Press(words string) {
	b.t.Helper()
	b.turn(chromedp.Click(`//button[normalize-space()=`+quote(words)+`]`, chromedp.BySearch, chromedp.NodeVisible))
}

// Click clicks what a CSS selector finds, and stays on the page.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// Follow follows the link with these words.
func (b *Tab) Follow(words string) {
	b.t.Helper()
	b.turn(chromedp.Click(`//a[normalize-space()=`+quote(words)+`]`, chromedp.BySearch, chromedp.NodeVisible))
}

// field is the XPath of the field whose label begins with words.
func field(words string) string {
	label := `//label[starts-with(normalize-space(),` + quote(words) + `)]`
	return `(//*[@id=` + label + `/@for] | ` + label + `//*[self::input or self::select or self::textarea])`
}

// Fill types a value into the field with this label, in the place of what is there.
func (b *Tab) Fill(label, value string) {
	b.t.Helper()
	b.do(chromedp.SetValue(field(label), "", chromedp.BySearch), chromedp.SendKeys(field(label), value, chromedp.BySearch))
}

// Choose chooses the option with these words in the field with this label.
func (b *Tab) Choose(label, option string) {
	b.t.Helper()
	var value string
	var ok bool
	b.do(chromedp.AttributeValue(field(label)+`/option[normalize-space()=`+quote(option)+`]`, "value", &value, &ok, chromedp.BySearch))
	b.do(chromedp.SetValue(field(label), value, chromedp.BySearch))
}

// Tick ticks the box or the choice with this label.
func (b *Tab) Tick(label string) {
	b.t.Helper()
	b.do(chromedp.Click(field(label), chromedp.BySearch))
}

// Value is what the field with this label holds.
func (b *Tab) Value(label string) (value string) {
	b.t.Helper()
	b.do(chromedp.Value(field(label), &value, chromedp.BySearch))
	return value
}

// Text is what a person reads in what a CSS selector finds first.
func (b *Tab) Text(selector string) (text string) {
	b.t.Helper()
	b.do(chromedp.Text(selector, &text, chromedp.ByQuery))
	return strings.TrimSpace(text)
}

// Sees fails unless the page shows all of these words.
func (b *Tab) Sees(words ...string) {
	b.t.Helper()
	text := b.Text("body")
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.t.Fatalf("%s does not show %q:\n%s", b.URL(), w, text)
		}
	}
}

// SeesNot fails if the page shows one of these words.
func (b *Tab) SeesNot(words ...string) {
	b.t.Helper()
	text := b.Text("body")
	for _, w := range words {
		if strings.Contains(text, w) {
			b.t.Fatalf("%s shows %q:\n%s", b.URL(), w, text)
		}
	}
}

// Eval evaluates a JavaScript expression, which may be a promise, into result.
func (b *Tab) Eval(expression string, result any) {
	b.t.Helper()
	b.do(chromedp.Evaluate(expression, result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
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
	if b.Status() != 200 {
		b.t.Fatalf("%s could not log in:\n%s", name, b.where())
	}
}

// Overflows reports whether the page is wider than its window.
func (b *Tab) Overflows() (over bool) {
	b.t.Helper()
	b.Eval(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &over)
	return over
}

// Screenshot keeps the whole page as a PNG.
func (b *Tab) Screenshot(file string) {
	b.t.Helper()
	var png []byte
	b.do(chromedp.FullScreenshot(&png, 100))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// quote makes a string of XPath, which has no escapes.
func quote(s string) string {
	if !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return `concat("` + strings.ReplaceAll(s, `"`, `",'"',"`) + `")`
}
