package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// run runs a command to its end.
func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	p := sitetest.Launch(t, args...)
	code = p.Exit(t, time.Minute)
	return code, p.Out(), p.Err()
}

func wantRun(t *testing.T, want int, says string, args ...string) {
	t.Helper()
	code, out, errs := run(t, args...)
	if code != want || !strings.Contains(out+errs, says) {
		t.Errorf("%v: exit code %d, want %d and %q\n%s%s", args, code, want, says, out, errs)
	}
}

func TestServe(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			slow := newSlow(t)
			s := &serving{t: t, cell: sitetest.NewCell(t, storetest.EmptyURL(t, kind), slow.config()), slow: slow}
			for _, step := range []struct {
				name string
				play func(*testing.T)
			}{
				{"a valid configuration is called so", s.check},
				{"R14 a database without a schema is refused", s.refuseEmpty},
				{"R14 migrating twice is migrating once", s.migrate},
				{"init shows the first administrator's password once", s.initialize},
				{"VCD-60 VCD-24 VCD-81 VCD-75 VCD-7 an account of the provider connects", s.connect},
				{"R12 nothing secret is in the log", s.log},
				{"R14 SIGTERM lets what is under way finish", s.terminate},
				{"R13 it goes on after a restart", s.again},
			} {
				if !t.Run(step.name, step.play) {
					t.FailNow()
				}
			}
		})
	}
}

type serving struct {
	t               *testing.T // processes live longer than one step
	cell            *sitetest.Cell
	slow            *slow
	process         *sitetest.Process
	client          *sitetest.Client
	access, refresh string
}

func (s *serving) check(t *testing.T) {
	wantRun(t, 0, "is valid", "config", "check", "--config", s.cell.Config)
	wantRun(t, 0, "- **`limits.max_keys`** (`65536`", "config", "reference")
}

func (s *serving) refuseEmpty(t *testing.T) {
	wantRun(t, 1, "causeway migrate", "serve", "--config", s.cell.Config)
}

func (s *serving) migrate(t *testing.T) {
	for range 2 {
		wantRun(t, 0, "schema is current", "migrate", "--config", s.cell.Config)
	}
}

func (s *serving) initialize(t *testing.T) {
	s.cell.Init(t)
	code, out, errs := run(t, "init", "--config", s.cell.Config)
	if code != 1 || strings.Contains(out+errs, "password") || !strings.Contains(errs, "nothing was changed") {
		t.Errorf("a second init: exit code %d\n%s%s", code, out, errs)
	}
}

func (s *serving) connect(t *testing.T) {
	s.start(t)
	admin := s.client.Login(t, sitetest.SiteName, sitetest.System) // the first password, still
	client := s.client.Register(t, sitetest.SiteName, sitetest.System, admin, "exampleServiceAccount",
		"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "System Administrator")
	_, s.refresh = s.client.ConnectAs(t, sitetest.SiteName, sitetest.System, admin, client)
	s.renew(t)
}

func (s *serving) start(t *testing.T) {
	s.process = s.cell.Begin(s.t)
	s.cell.Ready(t, s.process)
	s.client = s.cell.Client(t)
}

// renew refreshes, and uses what that gave.
func (s *serving) renew(t *testing.T) {
	t.Helper()
	got := s.client.Refresh(t, sitetest.SiteName, sitetest.System, s.refresh).Want(t, http.StatusOK)
	s.access, s.refresh = got.String(t, "access_token"), got.String(t, "refresh_token")
	s.client.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(s.access)).Want(t, http.StatusOK)
}

func (s *serving) log(t *testing.T) {
	// A line is written after its answer: wait for that of the last request.
	s.process.AwaitErr(t, 10*time.Second, func(text string) bool { return strings.Contains(text, "route=/cloudapi/1.0.0/sessions/current") })
	text := s.process.Err()
	for _, secret := range append(s.client.Issued(), s.cell.File.Sites[0].Admin.Password) {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func (s *serving) terminate(t *testing.T) {
	answered := make(chan sitetest.Answer, 1)
	go func() {
		a, err := s.client.TrySend(http.MethodGet, sitetest.SiteName, "/slow/work", sitetest.Bearer(s.access), nil)
		if err != nil {
			a.Body = []byte(err.Error())
		}
		answered <- a
	}()
	<-s.slow.begun
	s.process.Signal(t, syscall.SIGTERM)
	other := s.cell.Client(t)
	sitetest.Eventually(t, 10*time.Second, "new requests are refused", func() bool {
		_, err := other.TrySend(http.MethodGet, sitetest.SiteName, "/api/versions", nil, nil)
		return err != nil
	})
	select {
	case <-s.process.Ended():
		t.Error("it did not wait for the request under way")
	default:
	}
	s.slow.end <- struct{}{}
	if a := <-answered; a.Status != http.StatusOK || string(a.Body) != "done" {
		t.Errorf("the request under way got status %d: %s", a.Status, a.Body)
	}
	if code := s.process.Exit(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, alarm := range []string{"level=WARN", "level=ERROR", "causeway:"} {
		if strings.Contains(s.process.Err(), alarm) {
			t.Errorf("a clean run logs %s\n%s", alarm, s.process.Err())
		}
	}
}

func (s *serving) again(t *testing.T) {
	s.start(t)
	s.client.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(s.access)).Want(t, http.StatusOK)
	s.renew(t)
	s.client.Hangup()
	s.process.Stop(t)
}

// slow is an instance whose one answer waits until it is told to.
type slow struct {
	url        string
	begun, end chan struct{}
}

func newSlow(t *testing.T) *slow {
	s := &slow{begun: make(chan struct{}, 1), end: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.begun <- struct{}{}
		select {
		case <-s.end:
			fmt.Fprint(w, "done")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *slow) config() string {
	return fmt.Sprintf(`services:
  - name: slow
    prefix: /slow
    upstream: %q
    routes:
      - {method: GET, path: /slow/work, right: "Catalog: View Private and Shared Catalogs"}
`, s.url)
}

// TestTwoCells runs two cells of one site on one database.
func TestTwoCells(t *testing.T) {
	database := storetest.EmptyURL(t, storetest.Postgres)
	one := sitetest.NewCell(t, database, "")
	two := one.Another(t, database)
	one.Init(t)
	first, second := one.Begin(t), two.Begin(t) // at once: both want to make the keys
	one.Ready(t, first)
	two.Ready(t, second)
	cells := []*sitetest.Client{one.Client(t), two.Client(t)}
	defer func() {
		for i, p := range []*sitetest.Process{first, second} {
			cells[i].Hangup()
			p.Stop(t)
		}
	}()

	admin := cells[0].Login(t, sitetest.SiteName, sitetest.System)
	client := cells[1].Register(t, sitetest.SiteName, sitetest.System, admin, "both", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "System Administrator")
	for i, here := range cells {
		there := cells[1-i]
		t.Run(fmt.Sprintf("R4 R5 VCD-91 revoked at cell %d", i+1), func(t *testing.T) {
			access, refresh := here.ConnectAs(t, sitetest.SiteName, sitetest.System, admin, client)
			wantSession(t, here, access, http.StatusOK)
			wantSession(t, there, access, http.StatusOK) // signed by the other cell
			got := there.Refresh(t, sitetest.SiteName, sitetest.System, refresh).Want(t, http.StatusOK)
			renewed := got.String(t, "access_token")
			wantSession(t, here, renewed, http.StatusOK)
			wantSession(t, there, renewed, http.StatusOK)

			here.Revoke(t, sitetest.SiteName, admin, client)
			start := time.Now()
			wantSession(t, here, access, http.StatusUnauthorized)
			wantSession(t, here, renewed, http.StatusUnauthorized)
			for _, token := range []string{access, renewed} {
				sitetest.Eventually(t, 10*time.Second, "the revocation counts at the other cell", func() bool {
					return session(t, there, token).Status == http.StatusUnauthorized
				})
			}
			took := time.Since(start)
			t.Logf("the revocation counts at the other cell after %s", took.Round(time.Millisecond))
			if took > time.Second {
				t.Errorf("the revocation counts at the other cell only after %s", took)
			}
			there.Refresh(t, sitetest.SiteName, sitetest.System, got.String(t, "refresh_token")).Want(t, http.StatusBadRequest)
		})
	}
}

func session(t *testing.T, c *sitetest.Client, access string) sitetest.Answer {
	t.Helper()
	return c.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(access))
}

func wantSession(t *testing.T, c *sitetest.Client, access string, status int) {
	t.Helper()
	session(t, c, access).Want(t, status)
}

func TestConfigCheckReportsEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "causeway.yaml")
	text := `site:
  name: two words
public:
  listen: 127.0.0.1:99999
  url: http://plain.example
  colour: blue
database:
  url: mysql://localhost/causeway
sessions:
  idle_timeout: soon
rotation:
  window: 1h
  foreign_window: 2h
gossip:
  federation: ours
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	line := func(setting string) int {
		for i, l := range strings.Split(text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(l), setting+":") {
				return i + 1
			}
		}
		t.Fatalf("no line %q", setting)
		return 0
	}
	for _, command := range [][]string{{"config", "check"}, {"serve"}, {"migrate"}, {"init"}} {
		code, out, errs := run(t, append(command, "--config", file)...)
		if code != 2 || out != "" {
			t.Errorf("%v: exit code %d, printed %q", command, code, out)
		}
		for key, setting := range map[string]string{
			"site.name": "name", "public.listen": "listen", "public.url": "url", "public.colour": "colour",
			"sessions.idle_timeout": "idle_timeout", "rotation.foreign_window": "foreign_window",
		} {
			if want := fmt.Sprintf("%s:%d:", file, line(setting)); !hasLine(errs, want, key+":") {
				t.Errorf("%v: no line has %q and %q\n%s", command, want, key, errs)
			}
		}
		if want := fmt.Sprintf("%s:%d:", file, line("database")+1); !hasLine(errs, want, "database.url:") {
			t.Errorf("%v: the database's URL is not found at fault\n%s", command, errs)
		}
		if !hasLine(errs, "gossip.key_file:", "is required") {
			t.Errorf("%v: what is missing is not named\n%s", command, errs)
		}
		if n := strings.Count(errs, "\n"); n != 8 {
			t.Errorf("%v: %d lines for 8 mistakes\n%s", command, n, errs)
		}
	}
	missing := filepath.Join(filepath.Dir(file), "nothing.yaml")
	wantRun(t, 2, missing, "config", "check", "--config", missing)
}

// hasLine reports whether one line of text has all the words.
func hasLine(text string, words ...string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true
		}
	}
	return false
}
