package cli_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/internal/tokenfile"
)

// performing is a site with short intervals, an administrator and an account.
type performing struct {
	t             *testing.T
	cell          *sitetest.Cell
	site          *sitetest.Process
	client        *sitetest.Client
	admin, folder string
	account       string // client id
}

func TestPerform(t *testing.T) {
	p := &performing{t: t, folder: t.TempDir()}
	p.cell = sitetest.NewCell(t, storetest.EmptyURL(t, storetest.SQLite), "device:\n  interval: 1s\n")
	p.cell.Init(t)
	p.start()
	defer func() { p.client.Hangup(); p.site.Stop(t) }()
	p.admin = p.client.Login(t, sitetest.SiteName, sitetest.System)
	p.account = p.client.Register(t, sitetest.SiteName, sitetest.System, p.admin, "app", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "System Administrator")
	for _, step := range []struct {
		name string
		play func(*testing.T)
	}{
		{"denied", p.denied},
		{"interrupted", p.interrupted},
		{"granted after the site was restarted", p.restarted},
		{"a token in use is not written over", p.inUse},
		{"two processes renew one file", p.together},
		{"killed between the site's answer and the file", p.killed},
		{"a new grant replaces the token", p.replaced},
		{"revoked", p.revoked},
	} {
		t.Run(step.name, step.play)
	}
}

func (p *performing) start() {
	p.site = p.cell.Begin(p.t)
	p.cell.Ready(p.t, p.site)
	p.client = p.cell.Client(p.t)
}

func (p *performing) tokenFile() string { return filepath.Join(p.folder, "app.token") }

func (p *performing) args(command string, more ...string) []string {
	return append([]string{"perform", command, "--url", p.cell.File.Sites[0].API, "--ca", p.cell.File.CA, "--org", sitetest.System,
		"--token-file", p.tokenFile()}, more...)
}

func (p *performing) flow(t *testing.T, more ...string) *sitetest.Process {
	return sitetest.Launch(t, append(p.args("device-flow", "--client-id", p.account, "-o", "json"), more...)...)
}

// await waits for an event of a flow and returns its members.
func await(t *testing.T, p *sitetest.Process, is func(map[string]any) bool) (found map[string]any) {
	t.Helper()
	p.AwaitOut(t, 30*time.Second, func(out string) bool {
		for line := range strings.Lines(out) {
			var e map[string]any
			if json.Unmarshal([]byte(line), &e) == nil && is(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

func called(name string) func(map[string]any) bool {
	return func(e map[string]any) bool { return e["event"] == name }
}

func (p *performing) decide(t *testing.T, flow *sitetest.Process, what string) {
	t.Helper()
	code, _ := await(t, flow, called("asked"))["user_code"].(string)
	p.client.Decide(t, sitetest.SiteName, p.admin, what, code).Want(t, http.StatusNoContent)
}

func wantEnd(t *testing.T, p *sitetest.Process, code int, says string) {
	t.Helper()
	if got := p.Exit(t, 30*time.Second); got != code || !strings.Contains(p.Err(), says) {
		t.Errorf("exit code %d, want %d and %q\n%s%s", got, code, says, p.Out(), p.Err())
	}
}

func (p *performing) denied(t *testing.T) {
	flow := p.flow(t)
	p.decide(t, flow, "/deny")
	wantEnd(t, flow, 3, "denied")
	if e := await(t, flow, called("failed")); e["code"] != "access_denied" {
		t.Errorf("the last event is %v", e)
	}
	p.wantNoToken(t)
}

func (p *performing) wantNoToken(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(p.tokenFile()); !os.IsNotExist(err) {
		t.Errorf("there is a token file: %v", err)
	}
}

func (p *performing) interrupted(t *testing.T) {
	flow := p.flow(t)
	await(t, flow, called("waiting"))
	flow.Signal(t, syscall.SIGINT)
	wantEnd(t, flow, 130, "interrupted: gave up")
	if e := await(t, flow, called("failed")); e["code"] != "interrupted" {
		t.Errorf("the last event is %v", e)
	}
	p.wantNoToken(t)
}

func (p *performing) restarted(t *testing.T) {
	flow := p.flow(t)
	await(t, flow, called("waiting"))
	p.client.Hangup()
	p.site.Stop(t)
	await(t, flow, func(e map[string]any) bool { return e["state"] == "unreachable" })
	p.start()
	p.decide(t, flow, "/grant")
	wantEnd(t, flow, 0, "")
	if e := await(t, flow, called("checked")); e["name"] != "app" || e["org"] != sitetest.System {
		t.Errorf("it says it is %v", e)
	}
	token := p.token(t)
	if token.Type != tokenfile.ServiceAccount || strings.Contains(flow.Out()+flow.Err(), token.Refresh.Reveal()) || strings.Contains(flow.Out(), "device_code") {
		t.Errorf("a %s was granted; printed: %s", token.Type, flow.Out())
	}
	if info, err := os.Stat(p.tokenFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
}

func (p *performing) token(t *testing.T) tokenfile.Token {
	t.Helper()
	token, err := tokenfile.Read(p.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *performing) inUse(t *testing.T) {
	before := p.token(t)
	wantRun(t, 2, "--replace", p.args("device-flow", "--client-id", p.account)...)
	if after := p.token(t); after != before {
		t.Error("the file has changed")
	}
}

// renew runs the command and uses the access token that it prints.
func (p *performing) renew(t *testing.T) {
	t.Helper()
	code, out, errs := run(t, p.args("refresh", "--print", "access-token")...)
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, errs)
		return
	}
	p.client.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(strings.TrimSpace(out))).Want(t, http.StatusOK)
}

func (p *performing) together(t *testing.T) {
	first := p.token(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { p.renew(t) })
	}
	all.Wait()
	if p.token(t).Refresh == first.Refresh {
		t.Error("nothing has rotated")
	}
	wantRun(t, 0, "app of organization System, with the role System Administrator", p.args("refresh")...)
}

// killed puts a proxy between the command and the site. It passes a refresh on,
// and kills the command when the site has answered.
func (p *performing) killed(t *testing.T) {
	site, err := url.Parse(p.cell.File.Sites[0].API)
	if err != nil {
		t.Fatal(err)
	}
	answered, gone := make(chan struct{}), make(chan struct{})
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(site); r.Out.Host = site.Host },
		Transport: sitetest.Trusting(t, p.cell.File.CA).Transport,
		ModifyResponse: func(*http.Response) error {
			close(answered)
			<-gone
			return nil
		},
	}
	proxy, ca := tlsServer(t, forward)
	before := p.token(t)
	refresh := sitetest.Launch(t, "perform", "refresh", "--url", proxy, "--ca", ca, "--org", sitetest.System, "--token-file", p.tokenFile())
	<-answered
	refresh.Kill()
	close(gone)
	if p.token(t) != before {
		t.Fatal("the file has changed: the command was killed too late")
	}
	p.renew(t)
	p.renew(t)
}

func tlsServer(t *testing.T, h http.Handler) (url, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, ca
}

func (p *performing) replaced(t *testing.T) {
	if err := os.Chmod(p.tokenFile(), 0o640); err != nil {
		t.Fatal(err)
	}
	before := p.token(t)
	flow := p.flow(t, "--replace")
	await(t, flow, called("asked"))
	p.renew(t) // a request that nobody has granted is in nobody's way
	p.decide(t, flow, "/grant")
	wantEnd(t, flow, 0, "")
	if e := await(t, flow, called("warning")); !strings.Contains(fmt.Sprint(e["message"]), "chmod 600") {
		t.Errorf("warned by %v", e)
	}
	if p.token(t).Refresh == before.Refresh {
		t.Error("the file holds the old token")
	}
	p.renew(t)
}

func (p *performing) revoked(t *testing.T) {
	before := p.token(t)
	p.client.Revoke(t, sitetest.SiteName, p.admin, p.account)
	wantRun(t, 1, "invalid_grant", p.args("refresh")...)
	if p.token(t) != before {
		t.Error("a refusal changes the file")
	}
}

// TestPerformExpired is against a stand-in: no site's codes end within seconds.
func TestPerformExpired_VCD80(t *testing.T) {
	site, ca := tlsServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/device_authorization") {
			fmt.Fprint(w, `{"device_code":"secret-code","user_code":"ABCD-EFGH","verification_uri":"https://site/verify","expires_in":2,"interval":1}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"authorization_pending","error_description":"secret-code is pending"}`)
	}))
	file := filepath.Join(t.TempDir(), "app.token")
	code, out, errs := run(t, "perform", "device-flow", "--url", site, "--ca", ca, "--org", "acme", "--client-id", "app", "--token-file", file)
	if code != 4 || !strings.Contains(errs, "nobody granted access in time") || !strings.Contains(out, "ABCD-EFGH") || strings.Contains(out+errs, "secret-code") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestPerformRefuses(t *testing.T) {
	folder := t.TempDir()
	ca := filepath.Join(folder, "ca.pem")
	file := filepath.Join(folder, "app.token")
	for _, tt := range []struct {
		code int
		says string
		args []string
	}{
		{2, "--url", []string{"device-flow", "--org", "acme", "--client-id", "x", "--token-file", file}},
		{2, "--org", []string{"device-flow", "--url", "https://localhost:1", "--client-id", "x", "--token-file", file}},
		{2, "--client-id", []string{"device-flow", "--url", "https://localhost:1", "--org", "acme", "--token-file", file}},
		{2, "--token-file", []string{"device-flow", "--url", "https://localhost:1", "--org", "acme", "--client-id", "x"}},
		{2, "https://", []string{"device-flow", "--url", "http://localhost:1", "--org", "acme", "--client-id", "x", "--token-file", file}},
		{2, "ca.pem", []string{"device-flow", "--url", "https://localhost:1", "--org", "acme", "--client-id", "x", "--token-file", file, "--ca", ca}},
		{2, "--dev and --url exclude", []string{"refresh", "--dev", "--url", "https://localhost:1", "--org", "acme", "--token-file", file}},
		{2, "--dev and --ca exclude", []string{"device-flow", "--dev", "--ca", ca, "--org", "acme", "--client-id", "x", "--token-file", file}},
		{2, "--output", []string{"device-flow", "-o", "xml"}},
		{2, "--print", []string{"refresh", "--print", "refresh-token"}},
		{1, "no such file", []string{"device-flow", "--url", "https://localhost:1", "--org", "acme", "--client-id", "x", "--token-file", filepath.Join(folder, "absent", "token")}},
		{1, "no token in the file", []string{"refresh", "--url", "https://localhost:1", "--org", "acme", "--token-file", file}},
	} {
		wantRun(t, tt.code, tt.says, append([]string{"perform"}, tt.args...)...)
	}
}
