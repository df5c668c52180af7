package docs

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// walkedElsewhere are pages whose tests do more than type them.
var walkedElsewhere = []string{"three-sites.md", "wavefront-proxy.md"}

// password is everybody's: pages ask for it, and a script has no terminal.
const password = "Nobody guesses this one 7"

// reader is who types a page: at the sites of `causeway dev`, and on a machine of
// their own with the configuration of another.
type reader struct {
	*hosts
	pair  *sitetest.Pair
	cell  *sitetest.Cell
	words []string // pairs: the page's, and what they are here
}

// TestPages types the commands of each page where its reader would.
func TestPages(t *testing.T) {
	pair := sitetest.Start(t, storetest.SQLite, func(o *dev.Options) {
		o.Adjust = func(c *config.Config) {
			c.Device.Interval = time.Second // perform device-flow waits for as long
			c.Audit.WebhookNetworks, c.Audit.WebhookHTTP = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "allowed"
		}
	})
	letIn(t, pair)
	walked := map[string]bool{}
	for _, page := range pages(t) {
		if len(blocksOf(t, page)) == 0 || slices.Contains(walkedElsewhere, page) {
			continue
		}
		walked[page] = true
		t.Run(filepath.Base(page), func(t *testing.T) {
			r := newReader(t, pair)
			if prepare := before[page]; prepare != nil {
				prepare(t, r)
			}
			r.walk(t, page)
			r.end(t)
		})
	}
	for page := range before {
		if !walked[page] {
			t.Errorf("%s has no commands", page)
		}
	}
}

// letIn makes the people whom the pages name.
func letIn(t *testing.T, pair *sitetest.Pair) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	causeway := func(args ...string) {
		t.Helper()
		args = append(args, "--folder", pair.Folder, "--password-from", file)
		if out, err := exec.Command(sitetest.Build(t), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	for _, site := range []string{"west", "east"} {
		causeway("user", "set-password", "administrator", "--dev="+site)
		pair.Client.Site(site).Admin.Password = password
	}
	for _, name := range []string{"admin", "jane"} {
		causeway("user", "create", name, "--dev", "--org", "acme", "--role", string(tenants.OrganizationAdministrator))
	}
}

func newReader(t *testing.T, pair *sitetest.Pair) *reader {
	t.Helper()
	r := &reader{hosts: newHosts(t, "admin", "app", "cell", "cell-2"), pair: pair}
	west := pair.Client.Site("west")
	r.says("https://west.example.com", west.API, "https://east.example.com", pair.Client.Site("east").API)
	r.enabled = func(t *testing.T, host, unit string) { t.Fatalf("%s begins at %s", unit, host) }
	client, _ := pair.Client.Account(t, "west", pair.Client.Login(t, "west", "acme"), pair.Client.File.Account.Name)
	r.put(t, "app", "home/.curlrc", "fail\nsilent\nshow-error\n")
	r.env = append(r.env, "HOME="+r.root, "XDG_CONFIG_HOME="+r.root, "CURL_HOME="+r.path("app", "home"), "SSL_CERT_FILE="+pair.Client.File.CA, "CURL_CA_BUNDLE="+pair.Client.File.CA,
		"CAUSEWAY_PASSWORD="+password, "CA="+pair.Client.File.CA, "WEST="+west.API, "CLIENT="+client[strings.LastIndexByte(client, ':')+1:],
		"ADMIN="+pair.Client.Login(t, "west", "acme"))
	file, err := json.Marshal(pair.Client.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"admin", "app"} {
		r.put(t, host, "home/dev.json", string(file))
	}
	return r
}

// says is what words of the page are here.
func (r *reader) says(pairs ...string) {
	r.words = append(r.words, pairs...)
	r.replace = strings.NewReplacer(r.words...)
}

// before is what the reader of a page has.
var before = map[string]func(*testing.T, *reader){
	"../README.md": func(t *testing.T, r *reader) {
		r.own(t)
		r.granting(t)
		app := r.pair.Client.Register(t, "west", "acme", r.variable("ADMIN"), "inventory-report", tenants.NewID(), "Inventory Operator")
		r.says("3VL8-SQVJ", r.pair.Client.Ask(t, "west", "acme", app).Want(t, http.StatusOK).String(t, "user_code"))
		if err := os.Mkdir(r.path("app", "home/bin"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(r.root, "bin/causeway"), r.path("app", "home/bin/causeway")); err != nil {
			t.Fatal(err)
		}
	},
	"apps.md":     func(t *testing.T, r *reader) { r.instance(t) },
	"auditing.md": func(t *testing.T, r *reader) { r.collector(t) },
	"backup.md": func(t *testing.T, r *reader) {
		r.own(t)
		r.cell.Adjust(t, "database:\n", "database:\n  watermark: sqlite://"+r.path("cell", "watermark.db")+"\n")
		r.cell.Init(t)
		r.put(t, "cell", "home/new.password", password)
	},
	"deploying.md": deployed,
	"observing.md": func(t *testing.T, r *reader) { r.says("http://127.0.0.1:9443", r.pair.Client.Site("west").Ops) },
	"operating.md": func(t *testing.T, r *reader) {
		r.own(t)
		r.granting(t)
		r.trial(t)
		r.keys(t)
		r.refused(t)
	},
	"services.md": func(t *testing.T, r *reader) { r.says("https://10.0.0.7", "https://127.0.0.1:9") },
	"upgrading.md": func(t *testing.T, r *reader) {
		r.own(t)
		r.cell.Init(t)
	},
}

// variable is one of the reader's shell.
func (r *reader) variable(name string) (value string) {
	for _, pair := range r.env {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// own is a configuration that the reader has written.
func (r *reader) own(t *testing.T) {
	t.Helper()
	r.cell = sitetest.NewCell(t, "sqlite://"+r.path("cell", "var/lib/causeway/west.db"), "")
	for _, file := range []string{"cell/home/causeway.yaml", "cell/etc/causeway/causeway.yaml", "cell-2/etc/causeway/causeway.yaml"} {
		if err := os.Symlink(r.cell.Config, filepath.Join(r.root, file)); err != nil {
			t.Fatal(err)
		}
	}
}

var shownCode = regexp.MustCompile(`type the code\s+([0-9A-Z]{4}-[0-9A-Z]{4})\s`)

// granting has an administrator say yes to what an app asks for, as soon as it shows
// its user code.
func (r *reader) granting(t *testing.T) {
	t.Helper()
	token := r.pair.Client.Login(t, "west", "acme")
	var once sync.Once
	r.said = func(t *testing.T, text []byte) {
		code := shownCode.FindSubmatch(text)
		if code == nil {
			return
		}
		once.Do(func() {
			a, err := r.pair.Client.TrySend(http.MethodPost, "west", "/cloudapi/1.0.0/deviceLookup/grant", sitetest.Bearer(token), map[string]string{"userCode": string(code[1])})
			if err != nil || a.Status != http.StatusNoContent {
				t.Errorf("the grant answers %d: %v\n%s", a.Status, err, a.Body)
			}
		})
	}
}

// instance is what services.md makes.
func (r *reader) instance(t *testing.T) {
	t.Helper()
	in := r.pair.Client.NewInstance(t, "west", "acme", "observability", "onboarded")
	t.Cleanup(func() {
		provider := sitetest.Bearer(r.pair.Client.Login(t, "west", sitetest.System))
		a, err := r.pair.Client.TrySend(http.MethodDelete, "west", "/cloudapi/causeway/1.0.0/serviceInstances/"+in.ID, provider, nil)
		if err != nil || a.Status >= http.StatusBadRequest {
			t.Errorf("%v %v", a.Status, err)
		}
	})
}

// collector takes what webhooks tell.
func (r *reader) collector(t *testing.T) {
	t.Helper()
	siem := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(siem.Close)
	r.says("https://siem.example.com", siem.URL)
}

// trial is a second site to be filled, smaller than the page's.
func (r *reader) trial(t *testing.T) {
	t.Helper()
	cell := sitetest.NewCell(t, "sqlite://"+r.path("cell", "trial.db"), "")
	if err := os.Symlink(cell.Config, r.path("cell", "home/trial.yaml")); err != nil {
		t.Fatal(err)
	}
	r.put(t, "cell", "home/administrators.txt", password)
	r.says("--organizations 10000 --users 10 --accounts 100", "--organizations 2 --users 1 --accounts 10")
}

// list asks west for what the reader finds in a list.
func (r *reader) list(t *testing.T, v any, args ...string) {
	t.Helper()
	out, err := exec.Command(sitetest.Build(t), append(args, "--dev", "--folder", r.path("admin", "home"), "-o", "json")...).Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

func (r *reader) keys(t *testing.T) {
	t.Helper()
	var signing []struct {
		ID string `json:"kid"`
	}
	r.list(t, &signing, "keys", "list")
	var roots []struct {
		Fingerprint string `json:"fingerprint"`
	}
	r.list(t, &roots, "site", "keys", "list")
	r.env = append(r.env, "KEY="+signing[0].ID, "FINGERPRINT="+roots[0].Fingerprint)
}

// refused is a request whose id its caller reports.
func (r *reader) refused(t *testing.T) {
	t.Helper()
	token := r.pair.Client.Login(t, "west", "acme")
	a := r.pair.Client.Get(t, "west", "/cloudapi/causeway/1.0.0/siteAssociations", sitetest.Bearer(token)).Want(t, http.StatusForbidden)
	r.env = append(r.env, "REQUEST="+a.Header.Get("X-VMWARE-VCLOUD-REQUEST-ID"))
}

// deployed is a machine on which a site is to be installed. Users are not made on it,
// and systemd does not run there; deploy has systemd read its files.
func deployed(t *testing.T, r *reader) {
	r.own(t)
	for _, folder := range []string{"home/bin", "home/deploy", "usr/bin", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d", "etc/systemd/system/causeway.service.d"} {
		if err := os.MkdirAll(r.path("cell", folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	shipped, err := filepath.Abs("../deploy/systemd")
	if err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"deploy/systemd": shipped, "bin/causeway": sitetest.Build(t), "deploy/causeway.yaml": r.cell.Config} {
		if err := os.Symlink(to, r.path("cell", "home", link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"systemd-sysusers": "", "systemd-tmpfiles": "", "runuser": "shift 3\nexec \"$@\"\n"} {
		if err := os.WriteFile(filepath.Join(r.root, "bin", name), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.put(t, "cell-2", "etc/causeway/database.url", "sqlite://"+r.path("cell-2", "var/lib/causeway/west.db"))
	r.says("-g causeway", "-g "+strconv.Itoa(os.Getgid()), "causeway init", "causeway init -c /etc/causeway/causeway.yaml",
		" /usr/", " "+r.path("cell", "usr")+"/", " /etc/systemd/", " "+r.path("cell", "etc/systemd")+"/")
	r.enabled = func(t *testing.T, host, unit string) {
		r.serve(t, host, r.path(host, "home"), "serve", "-c", r.path(host, "etc/causeway/causeway.yaml"))
	}
}
