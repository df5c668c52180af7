package clients

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// file is what these tests need of dev.json.
type file struct {
	CA    string
	Sites []struct {
		Name, API     string
		Admin         login
		Organizations []struct {
			Name, ID string
			Admin    login
		}
	}
}

type login struct{ User, Password string }

// start runs the binary that CAUSEWAY names, with its two sample sites, and
// returns what it wrote about them.
func start(t *testing.T) file {
	t.Helper()
	binary := os.Getenv("CAUSEWAY")
	if binary == "" {
		binary = "../../bin/causeway"
	}
	folder := t.TempDir()
	cmd := exec.Command(binary, "dev", "--folder", folder, "--listen-base", "0")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	f := file{}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(folder, "dev.json"))
		if err == nil && json.Unmarshal(text, &f) == nil && f.answers() {
			return f
		}
		if time.Now().After(end) {
			t.Fatal("the sites do not get ready")
		}
	}
}

// answers reports whether every site can be asked for its versions.
func (f file) answers() bool {
	for _, s := range f.Sites {
		u, err := url.Parse(s.API)
		if err != nil || u.Host == "" {
			return false
		}
		res, err := insecure().Get(s.API + "/api/versions")
		if err != nil {
			return false
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return false
		}
	}
	return len(f.Sites) > 0
}
