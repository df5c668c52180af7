package docs

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// proxy is a wavefront-proxy: by the configuration of its host it sends what was
// recorded of one.
type proxy struct {
	*hosts
	*http.Client
	instance sitetest.Instance
	secrets  []string // one for each start
}

// TestWavefrontProxy_CSP7 takes the steps of wavefront-proxy.md.
func TestWavefrontProxy_CSP7(t *testing.T) {
	site := sitetest.Start(t, storetest.SQLite, func(o *dev.Options) { o.Site = "west" })
	west := site.Client.Site("west")
	acme := west.Org("acme").Admin
	p := &proxy{hosts: newHosts(t, "admin", "telemetry"), Client: sitetest.Trusting(t, site.File.CA)}
	service := httptest.NewServer(&p.instance)
	t.Cleanup(service.Close)
	p.env = append(p.env, "SSL_CERT_FILE="+site.File.CA)
	p.enabled = p.begin
	p.replace = strings.NewReplacer("https://west.example.com", west.API, "https://10.0.0.7", service.URL,
		"--user administrator", "--user "+west.Admin.User, "--user admin", "--user "+acme.User)
	p.put(t, "admin", "home/provider.password", west.Admin.Password)
	p.put(t, "admin", "home/acme.password", acme.Password)
	if err := os.MkdirAll(p.path("telemetry", "etc/wavefront/wavefront-proxy"), 0o700); err != nil {
		t.Fatal(err)
	}

	p.walk(t, "wavefront-proxy.md")
	conf := p.configuration(t)
	switch {
	case len(p.secrets) != 2 || p.secrets[0] == p.secrets[1]:
		t.Fatalf("the proxy began with %d secrets", len(p.secrets))
	case p.exchange(t, conf, p.secrets[0]).StatusCode == http.StatusOK:
		t.Error("the first secret outlives its end")
	case p.exchange(t, conf, p.secrets[1]).StatusCode != http.StatusOK:
		t.Error("the second secret ended with the first")
	}
	for _, host := range p.names {
		left, err := os.ReadDir(p.path(host, "home"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range left {
			if !strings.HasSuffix(file.Name(), ".password") && !strings.HasPrefix(file.Name(), ".") {
				t.Errorf("%s has %s, which may hold a secret", host, file.Name())
			}
		}
	}
}

// configuration is what the proxy reads.
func (p *proxy) configuration(t *testing.T) map[string]string {
	t.Helper()
	file := p.path("telemetry", "etc/wavefront/wavefront-proxy/wavefront.conf")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s is %v, %v", file, info.Mode(), err)
	}
	conf := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		conf[name] = value
	}
	return conf
}

func (p *proxy) send(t *testing.T, url, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Wavefront-Proxy")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := p.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// exchange asks for a token as a proxy does.
func (p *proxy) exchange(t *testing.T, conf map[string]string, secret string) *http.Response {
	t.Helper()
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(conf["cspAppId"], secret)
	return p.send(t, conf["cspBaseUrl"]+"/csp/gateway/am/api/auth/authorize", "grant_type=client_credentials&orgId="+conf["cspOrgId"],
		"Authorization", r.Header.Get("Authorization"), "Accept", "application/json", "Content-Type", "application/x-www-form-urlencoded")
}

// begin is a start of the proxy: it gets a token, checks in, and hands on what it got.
func (p *proxy) begin(t *testing.T, host, unit string) {
	t.Helper()
	if host != "telemetry" || unit != "wavefront-proxy" {
		t.Fatalf("%s begins at %s", unit, host)
	}
	conf := p.configuration(t)
	p.secrets = append(p.secrets, conf["cspAppSecret"])
	answer := p.exchange(t, conf, conf["cspAppSecret"])
	var token struct {
		Access string `json:"access_token"`
		Life   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || answer.StatusCode != http.StatusOK || token.Life <= 30 {
		t.Fatalf("the exchange gives %s, %d s: %v", answer.Status, token.Life, err)
	}
	const id, point = "8b1e0c52-6a0f-4c86-9f43-2f1d7c3a9e10", "\"rack7.load\" 0.7 1700000000 source=\"rack7\"\n"
	for path, body := range map[string]string{
		"v2/wfproxy/checkin?hostname=" + conf["hostname"] + "&proxyname=" + conf["hostname"] + "&version=13.4&currentMillis=1700000000000&ephemeral=false": `{"processed":{"count":0}}`,
		"v2/wfproxy/report?format=wavefront": point,
	} {
		answer := p.send(t, conf["server"]+path, body, "Authorization", "Bearer "+token.Access, "X-WF-PROXY-ID", id, "Content-Type", "application/octet-stream")
		got := p.instance.Taken()
		if answer.StatusCode != http.StatusAccepted || len(got) != 1 || got[0].URI != "/api/"+path || string(got[0].Body) != body ||
			got[0].Header.Get("X-Causeway-Principal") != "app:"+conf["cspAppId"] {
			said, _ := io.ReadAll(answer.Body)
			t.Fatalf("%s gives %s, and the instance got %+v\n%s", path, answer.Status, got, said)
		}
	}
	if answer := p.send(t, conf["server"]+"v2/dashboard", "{}", "Authorization", "Bearer "+token.Access); answer.StatusCode != http.StatusForbidden || len(p.instance.Taken()) > 0 {
		t.Errorf("a proxy makes a dashboard: %s", answer.Status)
	}
}
