package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

func TestAudit_R12_OfARunningSite(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	t.Run("list, export and verify", func(t *testing.T) { exportsAudit(t, p) })
	t.Run("webhook", func(t *testing.T) { managesWebhook(t, p) })
}

// The trail leaves the site by the command line: found, exported, resumed, and proved
// where it is kept; a tenant gets its own alone.
func exportsAudit(t *testing.T, p *sitetest.Pair) {
	at := func(org string, args ...string) []string {
		return append(args, "--folder", p.Folder, "--dev", "--org", org)
	}
	wantRun(t, 0, "observability", at("System", "service", "create", "--name", "observability", "--organization", "acme",
		"--prefix", "/observability", "--upstream", "http://127.0.0.1:9")...)
	wantRun(t, 0, "serviceInstance.created", at("System", "audit", "list", "--limit", "3")...)
	wantRun(t, 0, "observability", at("System", "audit", "list", "--subject", "observ", "--action", "serviceInstance.created", "--organization", "acme")...)
	wantRun(t, 0, "observability", at("acme", "audit", "list", "--from", "2020-01-01")...)
	wantRun(t, 2, "no action", at("acme", "audit", "list", "--action", "nothing")...)
	wantRun(t, 2, "no time", at("acme", "audit", "export", "--from", "yesterday")...)
	wantRun(t, 1, "There is no organization named", at("System", "audit", "list", "--organization", "nowhere")...)
	wantRun(t, 1, "", at("acme", "audit", "list", "--organization", "acme-labs")...)

	code, whole, said := run(t, at("System", "audit", "export")...)
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	if code != 0 || len(lines) < 3 || !strings.Contains(said, "rows, up to") || !strings.Contains(lines[len(lines)-1], `"complete":true`) {
		t.Fatalf("exit code %d, %d lines, %s", code, len(lines), said)
	}
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRun(t, 0, "The export is as the journal was.", "audit", "verify", "--file", file)
	var second struct {
		Seq  int64
		Hash string
	}
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil || second.Seq != 2 || len(second.Hash) != 64 {
		t.Fatalf("%+v, %v", second, err)
	}
	_, rest, _ := run(t, at("System", "audit", "export", "--after", "2")...)
	if !strings.HasPrefix(rest, lines[2]) {
		t.Errorf("after 2 comes %.200s", rest)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(whole, "observability", "observabilitx", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRun(t, 1, "was changed", "audit", "verify", "--file", file)

	_, cef, _ := run(t, at("System", "audit", "export", "--format", "cef", "--action", "serviceInstance.created")...)
	if !strings.HasPrefix(cef, "CEF:0|Causeway|Causeway|") || strings.Count(cef, "\n") != 1 || !strings.Contains(cef, "cs1=acme cs1Label=organization") {
		t.Errorf("CEF: %s", cef)
	}
	_, own, _ := run(t, at("acme", "audit", "export")...)
	if strings.Contains(own, "hash") || !strings.Contains(own, "observability") || strings.Contains(own, `"orgName":"System"`) {
		t.Errorf("a tenant gets %s", own)
	}
}

// An endpoint is told by a running site, and looked after from the command line;
// its secret is shown once, and is nowhere else.
func managesWebhook(t *testing.T, p *sitetest.Pair) {
	var asked atomic.Int64
	refuse := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(refuse.Close)
	at := func(org string, args ...string) []string {
		return append(args, "--folder", p.Folder, "--dev", "--org", org)
	}
	wantRun(t, 1, "begins with https", at("System", "audit", "webhook", "create", "--name", "siem", "--endpoint", "http://example.com")...)
	wantRun(t, 1, "", at("acme", "audit", "webhook", "create", "--name", "siem", "--endpoint", refuse.URL)...)
	wantRun(t, 1, "", at("acme", "audit", "webhook", "list")...)
	code, made, said := run(t, at("System", "audit", "webhook", "create", "--name", "siem", "--endpoint", refuse.URL, "--organization", "acme")...)
	secret := made[strings.LastIndex(made, "whsec_"):]
	if code != 0 || !strings.Contains(made, "shown once") || len(secret) < 40 {
		t.Fatalf("exit code %d: %s%s", code, made, said)
	}
	wantRun(t, 1, "", at("System", "audit", "webhook", "create", "--name", "siem", "--endpoint", refuse.URL)...)
	wantRun(t, 0, "disabled", at("System", "audit", "webhook", "disable", "siem")...)
	wantRun(t, 0, "siem", at("System", "audit", "webhook", "enable", "siem")...)
	wantRun(t, 1, "siem did not take the test", at("System", "audit", "webhook", "test", "siem")...)
	wantRun(t, 0, "FROM", at("System", "audit", "webhook", "dead", "siem")...)
	wantRun(t, 0, "again", at("System", "audit", "webhook", "redeliver", "siem")...)
	for _, args := range [][]string{{"audit", "webhook", "list", "-o", "json"}, {"audit", "export"}} {
		if _, shown, _ := run(t, at("System", args...)...); !strings.Contains(shown, "siem") || strings.Contains(shown, strings.TrimSpace(secret)) {
			t.Errorf("%v shows %s", args, shown)
		}
	}
	wantRun(t, 0, "shown once", at("System", "audit", "webhook", "secret", "siem")...)
	wantRun(t, 0, "webhook.secretReplaced", at("System", "audit", "list", "--action", "webhook.secretReplaced")...)
	wantRun(t, 5, "there is no webhook", at("System", "audit", "webhook", "delete", "other")...)
	wantRun(t, 0, "deleted", at("System", "audit", "webhook", "delete", "siem")...)
	if asked.Load() != 0 {
		t.Error("an address of this host was called, which no network allows")
	}
}
