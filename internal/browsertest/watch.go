package browsertest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// hear hears every event of the tab, in order.
func (b *Tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if fault := b.fault(event); fault != "" {
		b.blame(fault)
	}
	if e, ok := event.(*network.EventResponseReceived); ok && e.FrameID == b.main && e.Type == network.ResourceTypeDocument {
		b.status = e.Response.Status
	}
}

// blame notes a fault unless the test expects it.
func (b *Tab) blame(fault string) {
	expected := false
	for words := range b.expected {
		if strings.Contains(fault, words) {
			b.expected[words], expected = true, true
		}
	}
	if !expected {
		b.wrong = append(b.wrong, fault)
	}
}

// fault says what is wrong with a page that causes such an event.
func (b *Tab) fault(event any) string {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		return "exception: " + text(e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			return "console: " + text(e.Args)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			return fmt.Sprintf("log (%s): %s", e.Entry.Source, e.Entry.Text)
		}
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeContentSecurityPolicyIssue {
			return "its policy forbade: " + text(e.Issue.Details.ContentSecurityPolicyIssueDetails)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && isWeb(u) && u.Host != b.host {
			return "it asked another host: " + e.Request.URL
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			return fmt.Sprintf("a part of it (%s) does not load: %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		if e.Type != network.ResourceTypeDocument && e.Response.Status >= 400 {
			return fmt.Sprintf("%s answers %d", e.Response.URL, e.Response.Status)
		}
	}
	return ""
}

func text(v any) string {
	s, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(s)
}
