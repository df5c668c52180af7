package sitetest

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/secret"
	"causeway/internal/store/storetest"
)

// TestSecrets plays a whole life against the binary, logging everything, and then
// looks for every secret it issued in every place that keeps something.
func TestSecretsSoak(t *testing.T) {
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		formats := []string{"text", "json"}
		if !soaking { // each once
			formats = map[storetest.Kind][]string{storetest.SQLite: {"text"}, storetest.Postgres: {"json"}}[kind]
		}
		for _, format := range formats {
			t.Run("R12 VCD-12 VCD-14 nowhere, with logs as "+format, func(t *testing.T) {
				l := newLifetime(t, storetest.URL(t, kind), format)
				l.play(t)
				l.search(t)
				l.plant(t)
			})
		}
	})
}

// lifetime is a cell and what it was told to keep to itself.
type lifetime struct {
	*Client
	cell     *Cell
	site     *Process
	database string
	begun    time.Time
	logs     []*Process
	secrets  map[string]string // value to what it is
	metrics  []byte
	answers  []byte // of lists, trails and explanations
}

func newLifetime(t *testing.T, database, format string) *lifetime {
	l := &lifetime{database: database, begun: time.Now().Add(-time.Second), secrets: map[string]string{}}
	l.cell = NewCell(t, database, "log:\n  level: debug\n  format: "+format+"\n")
	l.cell.Init(t)
	l.start(t)
	l.Client = l.cell.Client(t)
	return l
}

// start waits by the operations listener: the words of the log depend on its format.
func (l *lifetime) start(t *testing.T) {
	t.Helper()
	l.site = l.cell.Begin(t)
	l.logs = append(l.logs, l.site)
	l.site.AwaitErr(t, 2*time.Minute, func(text string) bool {
		return strings.Contains(text, "msg=serving") || strings.Contains(text, `"msg":"serving"`)
	})
}

func (l *lifetime) keep(what, value string) string {
	l.secrets[value] = what
	return value
}

// play is the life: granted and denied, refreshed, retried and replayed, revoked,
// mistaken in every way that puts a secret where it does not belong.
func (l *lifetime) play(t *testing.T) {
	admin := l.Login(t, SiteName, System)
	id := l.Register(t, SiteName, System, admin, "kept-secret", sampleSoftware, "System Administrator")
	denied := l.Ask(t, SiteName, System, id).Want(t, http.StatusOK)
	l.Decide(t, SiteName, admin, "/deny", denied.String(t, "user_code")).Want(t, http.StatusNoContent)
	l.Poll(t, SiteName, System, id, denied.String(t, "device_code"))
	access, first := l.ConnectAs(t, SiteName, System, admin, id)
	open := l.Ask(t, SiteName, System, id).Want(t, http.StatusOK)
	device, user := open.String(t, "device_code"), open.String(t, "user_code")
	l.Poll(t, SiteName, System, id, device)
	l.Poll(t, SiteName, System, id, device)
	l.misplace(t, admin, access, first, device, user)

	second := l.Refresh(t, SiteName, System, first).Want(t, http.StatusOK).String(t, "refresh_token")
	l.Refresh(t, SiteName, System, first).Want(t, http.StatusOK)
	l.Refresh(t, SiteName, System, second).Want(t, http.StatusOK)
	l.Refresh(t, SiteName, System, first).Want(t, http.StatusBadRequest)
	l.ConnectAs(t, SiteName, System, admin, id)
	l.apiToken(t, admin)
	l.Revoke(t, SiteName, admin, id)
	for _, path := range []string{Accounts(""), "/cloudapi/1.0.0/tokens", "/cloudapi/1.0.0/sessions/current", "/cloudapi/1.0.0/auditTrail", "/cloudapi/causeway/1.0.0/refusals"} {
		l.answers = append(l.answers, l.Get(t, SiteName, path, Bearer(admin)).Body...)
	}
}

// apiToken is a user's own token: issued once, refreshed, shown in a list.
func (l *lifetime) apiToken(t *testing.T, admin string) {
	t.Helper()
	id := l.Post(t, SiteName, Realm(System)+"/register", Bearer(admin), map[string]string{"client_name": "ci"}).Want(t, http.StatusCreated).String(t, "client_id")
	token := l.Form(t, SiteName, System, "token", "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", id, "assertion", admin).
		Want(t, http.StatusOK).String(t, "refresh_token")
	l.Refresh(t, SiteName, System, token).Want(t, http.StatusOK)
}

// misplace shows secrets in queries, paths, headers, bodies that are refused, at
// the wrong endpoint and as passwords.
func (l *lifetime) misplace(t *testing.T, admin, access, refresh, device, user string) {
	t.Helper()
	for _, path := range []string{
		"/api/org?access_token=" + access, "/api/org/" + refresh, "/nothing/" + device + "?x=" + refresh, Accounts("") + "?filter=name==" + refresh,
		Accounts("") + "?sortAsc=" + refresh, Accounts("") + "/" + refresh, "/oauth/provider/token?refresh_token=" + refresh, "/cloudapi/causeway/1.0.0/refusals/" + refresh,
	} {
		for _, header := range []http.Header{nil, Bearer(admin), Bearer(access), Bearer(refresh)} {
			l.Get(t, SiteName, path, header)
		}
	}
	for _, name := range []string{accessToken, legacyToken, authContext, "Cookie", "Dpop", "Proxy-Authorization", "X-Request-Id", "User-Agent", "X-Forwarded-For"} {
		l.Get(t, SiteName, "/api/org", http.Header{name: {refresh}})
		l.Get(t, SiteName, "/api/org", Bearer(access, name, device))
	}
	for _, form := range [][]string{
		{"grant_type", refresh, "refresh_token", refresh}, {"grant_type", "refresh_token", "refresh_token", refresh, "client_id", refresh},
		{"grant_type", DeviceGrant, "client_id", device, "device_code", device}, {"grant_type", "refresh_token", "refresh_token", device, refresh, refresh},
	} {
		l.Form(t, SiteName, System, "token", form...)
	}
	for _, endpoint := range []string{"revoke", "introspect", "device_authorization", "register"} {
		l.Form(t, SiteName, "nowhere-"+refresh, endpoint, "token", refresh, "client_id", device)
	}
	l.Decide(t, SiteName, access, "/grant", user)
	l.Decide(t, SiteName, admin, "", l.keep("a user code that is none", "CCCC-CCCC"))
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("administrator@System", l.keep("a wrong password", "wrong-password-of-somebody"))
	l.Post(t, SiteName, "/cloudapi/1.0.0/sessions/provider", r.Header, nil)
	r.SetBasicAuth(refresh, refresh)
	l.Post(t, SiteName, "/cloudapi/1.0.0/sessions/provider", r.Header, nil)
}

// everything is all that must not be found: what was issued, the passwords, the
// master key and the private keys that it opens.
func (l *lifetime) everything(t *testing.T) map[string]string {
	t.Helper()
	for _, value := range l.Issued() {
		l.keep(fmt.Sprintf("an issued secret of %d characters", len(value)), value)
	}
	l.keep("the administrator's password", l.File.Sites[0].Admin.Password)
	file := filepath.Join(filepath.Dir(l.cell.Config), "master.key")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text)) // the last of them: comments come before
	written := lines[len(lines)-1]
	l.keep("the master key as it is written", written)
	master, err := base64.StdEncoding.DecodeString(written)
	if err != nil || len(master) != 32 {
		t.Fatalf("the master key has %d bytes, %v", len(master), err)
	}
	l.keep("the master key", string(master))
	keys, err := secret.LoadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	l.privateKeys(t, keys)
	return l.secrets
}

func (l *lifetime) privateKeys(t *testing.T, keys *secret.Keys) {
	t.Helper()
	db, _ := open(t, l.database)
	rows, err := db.QueryContext(t.Context(), "SELECT purpose, private_key FROM signing_keys")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var purpose string
		var sealed []byte
		if err := rows.Scan(&purpose, &sealed); err != nil {
			t.Fatal(err)
		}
		var plain []byte
		for _, name := range []string{"signing-key", "signing-key " + purpose} {
			if opened, err := keys.Open(name, sealed); err == nil {
				plain = opened
			}
		}
		key, err := x509.ParsePKCS8PrivateKey(plain)
		if err != nil {
			t.Fatalf("a signing key for %s: %v", purpose, err)
		}
		n++
		l.keep("a private key", string(plain))
		switch key := key.(type) {
		case *ecdsa.PrivateKey:
			d, err := key.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			l.keep("a private number", string(d))
		case *rsa.PrivateKey:
			l.keep("a private exponent", string(key.D.Bytes()))
		default:
			t.Fatalf("a private key is a %T", key)
		}
	}
	if n == 0 || rows.Err() != nil {
		t.Fatalf("%d signing keys, %v", n, rows.Err())
	}
}

// search stops the site and looks everywhere, while it runs and afterwards.
func (l *lifetime) search(t *testing.T) {
	t.Helper()
	res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", l.cell.base+2))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if l.metrics, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	s := newScanner(l.everything(t))
	if len(l.secrets) < 25 {
		t.Errorf("only %d secrets are known", len(l.secrets))
	}
	l.wantNone(t, s, "while it runs")
	l.Hangup()
	l.site.Stop(t)
	l.wantNone(t, s, "when it has ended")
}

// wantNone wants nothing in any place but what the test itself puts there, to see
// that the scanner is not blind.
func (l *lifetime) wantNone(t *testing.T, s *scanner, when string) {
	t.Helper()
	places := map[string][]byte{"metrics": l.metrics, "answers": l.answers, "error pages": l.Refusals()}
	for i, p := range l.logs {
		places[fmt.Sprint("log ", i)] = []byte(p.Out() + p.Err())
	}
	for place, text := range places {
		if len(text) < 500 {
			t.Errorf("%s holds %d bytes: it cannot be all", place, len(text))
		}
		if found := s.find(text); len(found) > 0 {
			t.Errorf("%s, %s: %v", place, when, found)
		}
		for value, what := range l.secrets { // any of them
			middle := len(text) / 2
			if found := s.find(slices.Concat(text[:middle], []byte(value), text[middle:])); !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, what) }) {
				t.Fatalf("%s planted in %s is not found", what, place)
			}
			break
		}
	}
	if found := l.inFiles(t, s); len(found) > 0 {
		t.Errorf("files, %s: %v", when, found)
	}
}

// plant writes a secret into the database, as careless code would, and wants it found.
func (l *lifetime) plant(t *testing.T) {
	t.Helper()
	const careless = "NObodyShouldEverReadThisTokenHere"
	db, _ := open(t, l.database)
	if _, err := db.ExecContext(t.Context(), "INSERT INTO token_events (at, org_id, account_id, kind, source, detail) SELECT 1, id, '', 'issued', '', '"+careless+"' FROM organizations"); err != nil {
		t.Fatal(err)
	}
	found := l.inFiles(t, newScanner(map[string]string{careless: "the planted token"}))
	if len(found) == 0 {
		t.Error("a token written into the database is not found there")
	}
}

// inFiles looks through what the database keeps on the disk, and what the cell has
// in its folder. Keys and certificates are there to be kept.
func (l *lifetime) inFiles(t *testing.T, s *scanner) (found []string) {
	t.Helper()
	size := 0
	look := func(root string, skip func(path string, d fs.DirEntry) bool) {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) { // others use the same server, and files go
				return nil
			}
			if err != nil || d.IsDir() || !d.Type().IsRegular() || skip(path, d) {
				return err
			}
			text, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				return nil
			}
			size += len(text)
			for _, f := range s.find(text) {
				found = append(found, path+": "+f)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if path, ok := strings.CutPrefix(l.database, "sqlite://"); ok {
		look(filepath.Dir(path), func(string, fs.DirEntry) bool { return false })
	} else {
		data, own := l.cluster(t)
		look(data, func(path string, d fs.DirEntry) bool {
			inside, _ := filepath.Rel(filepath.Join(data, "base"), path)
			info, err := d.Info()
			return !strings.HasPrefix(inside, "..") && filepath.Dir(inside) != own || err == nil && info.ModTime().Before(l.begun)
		})
	}
	look(filepath.Dir(l.cell.Config), func(path string, _ fs.DirEntry) bool {
		return strings.HasSuffix(path, ".key") || strings.HasSuffix(path, ".pem")
	})
	if size < 100_000 {
		t.Errorf("only %d bytes were read", size)
	}
	return found
}

// cluster is PostgreSQL's data directory and in it the folder of our database;
// what is in memory goes to the disk first.
func (l *lifetime) cluster(t *testing.T) (data, own string) {
	t.Helper()
	db, _ := open(t, l.database)
	if _, err := db.ExecContext(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	err := db.QueryRowContext(t.Context(), "SELECT current_setting('data_directory'), oid::text FROM pg_database WHERE datname = current_database()").Scan(&data, &own)
	if err != nil {
		t.Fatal(err)
	}
	return data, own
}
