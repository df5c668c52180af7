package sitetest

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/porttest"
)

// Cell is one cell of a site that runs by `causeway serve`, without
// organizations but the provider's.
type Cell struct {
	Config string // its configuration file
	File   *dev.File
	base   int    // of its ports
	first  int    // base of the site's first cell
	more   string // YAML
}

// SiteName is what the site of a Cell is called.
const SiteName = "solo"

// NewCell writes the configuration of a site's first cell. more is YAML to
// append to it, in which {pool} and {sites} are addresses of the cell's own to
// gossip at, and {first} and {firstsites} are those of the first cell.
func NewCell(t testing.TB, databaseURL, more string) *Cell {
	t.Helper()
	folder := t.TempDir()
	c := &Cell{File: &dev.File{CA: filepath.Join(folder, "ca.pem")}, more: more}
	c.write(t, folder, databaseURL)
	return c
}

// Another writes the configuration of one more cell of the same site.
func (c *Cell) Another(t testing.TB, databaseURL string) *Cell {
	t.Helper()
	other := &Cell{File: c.File, more: c.more, first: c.first}
	other.write(t, filepath.Dir(c.File.CA), databaseURL)
	return other
}

func (c *Cell) write(t testing.TB, folder, databaseURL string) {
	t.Helper()
	c.base = porttest.Base(t)
	c.first = cmp.Or(c.first, c.base)
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	more := strings.NewReplacer("{pool}", at(c.base+3), "{sites}", at(c.base+4), "{first}", at(c.first+3), "{firstsites}", at(c.first+4)).Replace(c.more)
	if len(c.File.Sites) == 0 {
		// What clients call it; other cells stand behind the same name.
		c.File.Sites = []dev.SiteFile{{Name: SiteName, API: fmt.Sprintf("https://localhost:%d", c.base)}}
	}
	c.Config = filepath.Join(folder, fmt.Sprintf("causeway-%d.yaml", c.base))
	text := fmt.Sprintf(`site:
  name: %s
public:
  listen: 127.0.0.1:%d
  url: %s
peer:
  listen: 127.0.0.1:%d
operations:
  listen: 127.0.0.1:%d
  drain_delay: 0s
database:
  url: %q
keys:
  master_file: %s
%s`, SiteName, c.base, c.File.Sites[0].API, c.base+1, c.base+2, databaseURL, filepath.Join(folder, "master.key"), more)
	if err := os.WriteFile(c.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var initialPassword = regexp.MustCompile(`(?m)^Administrator (\S+)@System, password \(shown this once\): (\S+)$`)

// Init runs `causeway init` and notes the administrator it made.
func (c *Cell) Init(t testing.TB) {
	t.Helper()
	p := Launch(t, "init", "--config", c.Config)
	if code := p.Exit(t, time.Minute); code != 0 {
		t.Fatalf("init: exit code %d\n%s", code, p.Err())
	}
	found := initialPassword.FindAllStringSubmatch(p.Out(), -1)
	if len(found) != 1 {
		t.Fatalf("init shows %d passwords\n%s", len(found), p.Out())
	}
	c.File.Sites[0].Admin = dev.Login{User: found[0][1], Password: found[0][2]}
}

// Begin runs `causeway serve`; Ready waits until it does.
func (c *Cell) Begin(t testing.TB) *Process {
	t.Helper()
	return Launch(t, "serve", "--config", c.Config)
}

// Ready waits until a process begun by Begin serves.
func (c *Cell) Ready(t testing.TB, p *Process) {
	t.Helper()
	p.AwaitErr(t, 2*time.Minute, func(text string) bool { return strings.Contains(text, "msg=serving") })
}

// Adjust replaces text in the configuration, which must be there.
func (c *Cell) Adjust(t testing.TB, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s holds no %q", c.Config, old)
	}
	if err := os.WriteFile(c.Config, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Public is where this cell alone listens, and Operations its listener for operators.
func (c *Cell) Public() string     { return fmt.Sprintf("https://127.0.0.1:%d", c.base) }
func (c *Cell) Operations() string { return fmt.Sprintf("http://127.0.0.1:%d", c.base+2) }

// Client speaks to this cell, whatever its site is called.
func (c *Cell) Client(t testing.TB) *Client {
	t.Helper()
	client := NewClient(t, c.File)
	client.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", c.base))
	}
	return client
}
