package doctor_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/doctor"
	"causeway/internal/journal"
	"causeway/internal/localca"
	"causeway/internal/secret"
	"causeway/internal/sitetest"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// The site believes what comes from one balancer, and not from the other.
const believed, unknown = "127.0.0.3", "127.0.0.2"

// ward is a pair of sites of which the first is examined.
type ward struct {
	*sitetest.Pair
	west config.Config
}

func newWard(t *testing.T, kind storetest.Kind) *ward {
	t.Helper()
	w := &ward{}
	var mu sync.Mutex
	w.Pair = sitetest.Start(t, kind, sitetest.Adjust(func(c *config.Config) {
		mu.Lock()
		defer mu.Unlock()
		c.Public.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(believed + "/32")}
		if c.Site.Name == "west" {
			w.west = *c
		}
	}))
	return w
}

// plenty is a disk that is never full: the machine's own is no part of the test.
func plenty(string) (uint64, uint64, error) { return 100 << 30, 200 << 30, nil }

func (w *ward) examine(t *testing.T, plant func(*config.Config, *doctor.Options)) []doctor.Finding {
	t.Helper()
	c, o := w.west, doctor.Options{Free: plenty}
	if plant != nil {
		plant(&c, &o)
	}
	return doctor.Cell(t.Context(), &c, o)
}

func wantGreen(t *testing.T, found []doctor.Finding) {
	t.Helper()
	for _, f := range found {
		if f.Severity != doctor.OK && f.Severity != doctor.Skipped {
			t.Errorf("%+v", f)
		}
	}
}

// wantFault is a finding of a check, at least of a severity, that says something and
// is complete.
func wantFault(t *testing.T, found []doctor.Finding, check string, s doctor.Severity, says string) {
	t.Helper()
	for _, f := range found {
		if f.Check == check && f.Severity == s && strings.Contains(f.What, says) {
			if f.Why == "" || f.Do == "" {
				t.Errorf("%+v says neither why nor what to do", f)
			}
			return
		}
	}
	t.Errorf("no finding %s %s with %q in %+v", check, s, says, found)
}

func copied(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return written(t, string(text), 0o600)
}

func written(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // the mask is not asked
		t.Fatal(err)
	}
	return file
}

// issued is a certificate of an authority of its own.
func issued(t *testing.T, c *config.Config, host string, at time.Time) {
	t.Helper()
	folder := t.TempDir()
	ca, err := localca.Load(folder, at)
	if err != nil {
		t.Fatal(err)
	}
	c.Public.Certificate, c.Public.Key, c.Public.Authority = filepath.Join(folder, "c.pem"), filepath.Join(folder, "k.pem"), ca.File
	if err := ca.Issue(c.Public.Certificate, c.Public.Key, []string{host}, at); err != nil {
		t.Fatal(err)
	}
}

func held(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// closed is an address where nobody listens, unless somebody was given the port in
// this very moment.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// balancer passes connections on to west, from an address, and returns its URL.
func (w *ward) balancer(t *testing.T, from string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	var wait sync.WaitGroup
	t.Cleanup(func() { l.Close(); wait.Wait() })
	wait.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer in.Close()
				to, err := out.Dial("tcp", w.west.Public.Listen)
				if err != nil {
					return
				}
				defer to.Close()
				wait.Go(func() {
					_, _ = io.Copy(to, in)
					_ = to.(*net.TCPConn).CloseWrite()
				})
				_, _ = io.Copy(in, to)
			})
		}
	})
	return fmt.Sprintf("https://localhost:%d", l.Addr().(*net.TCPAddr).Port)
}

// Every planted fault is found, and a healthy site has none.
func TestDoctor_FindsPlantedFaults(t *testing.T) {
	w := newWard(t, storetest.SQLite)
	wantGreen(t, w.examine(t, nil))
	hiding, gullible := w.balancer(t, unknown), w.balancer(t, believed)
	for _, tt := range []struct {
		name, check string
		severity    doctor.Severity
		says        string
		plant       func(*config.Config, *doctor.Options)
	}{
		{"others read the configuration with its password", "files", doctor.Failed, "mode 0644", func(c *config.Config, o *doctor.Options) {
			c.Database.URL = "postgres://u:p@127.0.0.1:1/x"
			o.File = written(t, "x", 0o644)
		}},
		{"others read the certificate's key", "files", doctor.Failed, "key of the certificate", func(c *config.Config, _ *doctor.Options) {
			c.Public.Key = copied(t, c.Public.Key)
			_ = os.Chmod(c.Public.Key, 0o604)
		}},
		{"others write the gossip key", "files", doctor.Failed, "change the gossip key", func(c *config.Config, _ *doctor.Options) {
			c.Gossip = &config.Gossip{KeyFile: copied(t, c.Gossip.KeyFile), Listen: c.Gossip.Listen}
			_ = os.Chmod(c.Gossip.KeyFile, 0o620)
		}},
		{"another master key", "master key", doctor.Failed, "does not open", func(c *config.Config, _ *doctor.Options) {
			c.Keys.MasterFile = filepath.Join(t.TempDir(), "master.key")
			if _, err := secret.LoadOrCreateKeys(c.Keys.MasterFile); err != nil {
				t.Fatal(err)
			}
		}},
		{"no database", "database", doctor.Failed, "no database at", func(c *config.Config, _ *doctor.Options) {
			c.Database.URL = secret.Text("sqlite://" + filepath.Join(t.TempDir(), "none.db"))
		}},
		{"an older schema", "database", doctor.Failed, "causeway migrate", func(c *config.Config, _ *doctor.Options) {
			c.Database.URL = secret.Text("sqlite://" + written(t, "", 0o600))
		}},
		{"a full disk", "disk", doctor.Failed, "100 MiB are left", func(_ *config.Config, o *doctor.Options) {
			o.Free = func(string) (uint64, uint64, error) { return 100 << 20, 10 << 30, nil }
		}},
		{"a wrong clock", "clock", doctor.Failed, "ahead of that of https://", func(_ *config.Config, o *doctor.Options) {
			o.Now = func() time.Time { return time.Now().Add(3 * time.Minute) }
		}},
		{"an expired certificate", "certificate", doctor.Failed, "expired", func(c *config.Config, _ *doctor.Options) {
			issued(t, c, "localhost", time.Now().AddDate(-3, 0, 0))
		}},
		{"a certificate that soon expires", "certificate", doctor.Warning, "expires in", func(c *config.Config, o *doctor.Options) {
			o.Now = func() time.Time { return time.Now().AddDate(0, 0, 355) }
		}},
		{"a certificate for another host", "certificate", doctor.Failed, "not for localhost", func(c *config.Config, _ *doctor.Options) {
			issued(t, c, "elsewhere.example", time.Now())
		}},
		{"a certificate of nobody known", "certificate", doctor.Failed, "authority that is trusted", func(c *config.Config, _ *doctor.Options) {
			issued(t, c, "localhost", time.Now())
			c.Public.Authority = ""
		}},
		{"a key of another certificate", "certificate", doctor.Failed, "cannot be used", func(c *config.Config, _ *doctor.Options) {
			key := c.Public.Key
			issued(t, c, "localhost", time.Now())
			c.Public.Key = key
		}},
		{"a port that another program holds", "ports", doctor.Failed, "public.listen", func(c *config.Config, _ *doctor.Options) {
			c.Operations.Listen, c.Public.Listen = closed(t), held(t) // no cell answers
		}},
		{"listeners that moved without a restart", "ports", doctor.Warning, "peer.listen", func(c *config.Config, _ *doctor.Options) {
			c.Peer.Listen = closed(t)
		}},
		{"a public URL that leads elsewhere", "public url", doctor.Failed, "another site", func(c *config.Config, _ *doctor.Options) {
			c.Public.URL = w.File.Site("east").API
		}},
		{"a public URL where nobody is", "public url", doctor.Failed, "cannot be reached", func(c *config.Config, _ *doctor.Options) {
			c.Public.URL = "https://" + closed(t)
		}},
		{"a balancer that hides its clients", "source address", doctor.Warning, "from " + unknown, func(c *config.Config, _ *doctor.Options) {
			c.Public.URL = hiding
		}},
		{"other gossip keys", "gossip", doctor.Failed, "begins with", func(c *config.Config, _ *doctor.Options) {
			g := *c.Gossip
			g.KeyFile = written(t, strings.Repeat("A", 43)+"=\n", 0o600)
			c.Gossip = &g
		}},
		{"members of the pool that are out of reach", "gossip", doctor.Warning, "None of the members", func(c *config.Config, _ *doctor.Options) {
			g := *c.Gossip
			g.Seeds = []string{closed(t)}
			c.Gossip = &g
		}},
		{"an upstream that is down", "services", doctor.Failed, "does not answer", func(c *config.Config, _ *doctor.Options) {
			c.Services = []config.Service{{Name: "metrics", Upstream: "http://" + closed(t)}}
		}},
		{"a balancer that lets clients choose their address", "source address", doctor.Failed, "Clients choose", func(c *config.Config, _ *doctor.Options) {
			c.Public.URL = gullible
		}},
		{"a public URL that is not the one of the links", "clients", doctor.Failed, "the issuer is", func(c *config.Config, _ *doctor.Options) {
			c.Public.URL = hiding
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantFault(t, w.examine(t, tt.plant), tt.check, tt.severity, tt.says) })
	}
	t.Run("a peer that is away", func(t *testing.T) {
		if err := w.StopSite(t.Context(), "east"); err != nil {
			t.Fatal(err)
		}
		wantFault(t, w.examine(t, nil), "peers", doctor.Failed, "Site east")
	})
}

// A site that keeps a watermark does not start without that one.
func TestDoctor_FindsFaultsOfTheWatermark(t *testing.T) {
	w := newWard(t, storetest.SQLite)
	at := func(path string) func(*config.Config, *doctor.Options) {
		return func(c *config.Config, _ *doctor.Options) { c.Database.Watermark = secret.Text("sqlite://" + path) }
	}
	own, other := filepath.Join(t.TempDir(), "own.db"), filepath.Join(t.TempDir(), "other.db")
	wantFault(t, w.examine(t, at(own)), "watermark", doctor.Warning, "none was begun")

	db := w.Site("west").DB()
	marks, err := store.OpenWatermark(t.Context(), "sqlite://"+own)
	if err != nil {
		t.Fatal(err)
	}
	defer marks.Close()
	wantFault(t, w.examine(t, at(own)), "watermark", doctor.Warning, "not kept")
	if err := marks.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
		return tx.Record(store.WatermarkEntry(time.Now(), journal.System, journal.WatermarkBegan, marks.ID()))
	}); err != nil {
		t.Fatal(err)
	}
	wantGreen(t, w.examine(t, at(own)))
	wantFault(t, w.examine(t, nil), "watermark", doctor.Failed, "names none")
	wantFault(t, w.examine(t, at(other)), "watermark", doctor.Failed, "none at")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantFault(t, w.examine(t, at(other)), "watermark", doctor.Failed, marks.ID())
	wantFault(t, w.examine(t, func(c *config.Config, _ *doctor.Options) {
		c.Database.Watermark = secret.Text("postgres://nobody:Hush-1234@" + closed(t) + "/none")
	}), "watermark", doctor.Failed, "cannot be reached")
}

// On PostgreSQL also the server can be read-only, its clock another, and itself away.
func TestDoctor_FindsFaultsOfPostgres(t *testing.T) {
	w := newWard(t, storetest.Postgres)
	wantGreen(t, w.examine(t, nil))
	url := w.west.Database.URL.Reveal()
	with := "?"
	if strings.Contains(url, "?") {
		with = "&"
	}
	wantFault(t, w.examine(t, func(c *config.Config, _ *doctor.Options) {
		c.Database.URL = secret.Text(url + with + "default_transaction_read_only=on")
	}), "database", doctor.Failed, "not written")
	wantFault(t, w.examine(t, func(_ *config.Config, o *doctor.Options) {
		o.Now = func() time.Time { return time.Now().Add(-10 * time.Second) }
	}), "clock", doctor.Warning, "behind the database")
	wantFault(t, w.examine(t, func(c *config.Config, _ *doctor.Options) {
		c.Database.URL = secret.Text("postgres://nobody:Hush-1234@" + closed(t) + "/none")
	}), "database", doctor.Failed, "cannot be reached")
}

// From outside a healthy site is all green too, and one that is none is told.
func TestDoctor_Outside(t *testing.T) {
	w := newWard(t, storetest.SQLite)
	found, err := doctor.Outside(t.Context(), w.west.Public.URL, w.File.CA, "acme", doctor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantGreen(t, found)
	found, err = doctor.Outside(t.Context(), w.west.Public.URL, "", "", doctor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, found, "tls", doctor.Failed, "authority that is trusted")
	if _, err := doctor.Outside(t.Context(), w.west.Public.URL, "none.pem", "", doctor.Options{}); err == nil {
		t.Error("a file that is not there is taken")
	}
}
