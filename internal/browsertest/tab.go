package browsertest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

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
	main cdp.FrameID

	mu       sync.Mutex
	host     string
	status   int64
	wrong    []string
	expected map[string]bool // fault → whether it happened
}

// Open opens an empty tab, which is closed when the test ends.
func Open(t testing.TB, look Look) *Tab {
	t.Helper()
	parent := running(t)
	t.Attr("browser", "chromium") // for the list of requirements, see internal/tools/requirements
	b := &Tab{t: t, expected: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	b.ctx = ctx
	t.Cleanup(func() { b.end(cancel) })
	if err := chromedp.Do(ctx); err != nil { // without a deadline: the tab lives as long as this context
		t.Fatal(err)
	}
	b.mu.Lock()
	b.main = cdp.FrameID(chromedp.FromContext(ctx).Target.TargetID)
	b.mu.Unlock()
	b.do(call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(audits.Enable, cdp.Empty{}))
	b.Look(look)
	return b
}

// end fails the test for what went wrong in the tab, and for what should have.
func (b *Tab) end(cancel context.CancelFunc) {
	// One more round trip: what happened before it has been heard after it. Only what
	// other processes of the browser say can be later.
	if err := chromedp.Do(b.ctx, chromedp.Evaluate[chromedp.Void]("0")); err != nil {
		b.t.Errorf("the tab has died: %v", err)
	}
	for deadline := time.Now().Add(5 * time.Second); b.missing() != "" && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if words := b.missing(); words != "" {
		b.t.Errorf("the page never had the fault %q", words)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Errorf("the page: %s", w)
	}
}

// missing is a fault that the test expects and that has not happened, or empty.
func (b *Tab) missing() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for words, met := range b.expected {
		if !met {
			return words
		}
	}
	return ""
}

// Look changes how the tab is looked at from the next page on.
func (b *Tab) Look(look Look) {
	b.t.Helper()
	if look.Width == 0 {
		look.Width, look.Height = 1440, 900
	}
	if look.Height == 0 {
		look.Height = 800
	}
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	b.do(
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: int64(look.Width), Height: int64(look.Height), DeviceScaleFactor: 1,
		}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: look.NoScript}),
	)
}

// call makes a step of a command whose answer does not matter.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

func (b *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	get(b, chromedp.Steps(steps...))
}

// get takes one step and gives what it found.
func get[T any](b *Tab, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	found, err := chromedp.Run(ctx, step)
	for stale(err) && ctx.Err() == nil {
		found, err = chromedp.Run(ctx, step)
	}
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.where())
	}
	return found
}

// stale reports whether a step found something of the page before, whose end the
// browser told in between: nothing was done with it, and the step can be taken again.
func stale(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "No node with given id") || strings.Contains(err.Error(), "Could not find node with given id") ||
		strings.Contains(err.Error(), "Cannot find context with specified id"))
}

// turn does what leads to another page, and waits until that is there.
func (b *Tab) turn(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, steps...)
	for stale(err) && ctx.Err() == nil {
		_, err = chromedp.RunResponse(ctx, steps...)
	}
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.where())
	}
}

// where says, for a failure, what the tab shows.
func (b *Tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body?.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
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

// Reload loads the page anew. A form that the page is the answer to is sent again.
func (b *Tab) Reload() {
	b.t.Helper()
	b.turn(chromedp.Reload())
}

// Cookie gives the tab a cookie for the host of address, as servers do.
func (b *Tab) Cookie(address, name, value string) {
	b.t.Helper()
	b.do(call(network.SetCookie, network.SetCookieParams{URL: address, Name: name, Value: value, Path: "/", Secure: new(true), HTTPOnly: new(true)}))
}

// Status is that of the page.
func (b *Tab) Status() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.status)
}

// URL is the page's address.
func (b *Tab) URL() string {
	b.t.Helper()
	return get(b, chromedp.Location())
}

// Expect says that faults which a tab watches for are what the test is about: those
// with one of these words are none, and the test fails without one that has the first.
func (b *Tab) Expect(must string, may ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected[must] = false
	for _, words := range may {
		b.expected[words] = true
	}
}

// Screenshot keeps the whole page as a PNG.
func (b *Tab) Screenshot(file string) {
	b.t.Helper()
	png := get(b, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func isWeb(u *url.URL) bool {
	return slices.Contains([]string{"http", "https", "ws", "wss"}, strings.ToLower(u.Scheme))
}
