// Package browsertest drives pages in headless Chromium as a person would: by the
// words on buttons, links and labels. Each tab watches itself: an error on the
// console, something that the page's own policy forbade, a part that does not load,
// or a request to another host fails its test.
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds one step of a person. It is for a loaded machine: a step that
// works ends when the page has what is waited for.
const patience = 30 * time.Second

// browser is one Chromium for all tests of a binary: it starts in a second, a tab
// of it in a hundredth.
var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel []context.CancelFunc
	err    error
}

var errMissing = errors.New("there is no Chromium: install the Debian package chromium")

// Main runs the tests of a package and ends the browser that they shared.
func Main(m *testing.M) int {
	code := m.Run()
	for i := len(browser.cancel) - 1; i >= 0; i-- {
		browser.cancel[i]() // waits for the process
	}
	return code
}

func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errMissing
}

func start() {
	path, err := find()
	if err != nil {
		browser.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("ignore-certificate-errors", true), // a site of a test signs its own
	)
	if os.Geteuid() == 0 { // Chromium's sandbox does not work for root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	browser.cancel = append(browser.cancel, cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	browser.cancel = append(browser.cancel, cancel)
	browser.ctx, browser.err = ctx, chromedp.Do(ctx)
}

// running gives the browser. Without Chromium the test is skipped, except in CI.
func running(t testing.TB) context.Context {
	t.Helper()
	browser.once.Do(start)
	if errors.Is(browser.err, errMissing) && os.Getenv("CI") == "" {
		t.Skip(browser.err)
	}
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	return browser.ctx
}
