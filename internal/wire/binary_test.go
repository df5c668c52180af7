package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store"
)

// TestScriptsBinary runs the scripts against the program that people get.
func TestScriptsBinary(t *testing.T) {
	scripts := readScripts(t)
	t.Run("asked directly", func(t *testing.T) {
		f := startBinary(t)
		newWorld(t, sitetest.NewClient(t, f), f).run(t, scripts, direct)
	})
	t.Run("VCD-37 through a peer", func(t *testing.T) {
		f := startBinary(t)
		east, err := store.Open(context.Background(), store.Config{URL: "sqlite://" + filepath.Join(filepath.Dir(f.CA), "east", "causeway.db")})
		if err != nil {
			t.Fatal(err)
		}
		mapPeople(t, east, f)
		if err := east.Close(); err != nil {
			t.Fatal(err)
		}
		newWorld(t, sitetest.NewClient(t, f), f).run(t, scripts, throughPeer)
	})
}

// buildFolder is where the binary is, if a test asked for it.
var buildFolder string

var binary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(buildFolder, "causeway")
	out, err := exec.Command("go", "build", "-o", file, "causeway/cmd/causeway").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return file, err
})

func TestMain(m *testing.M) {
	var err error
	if buildFolder, err = os.MkdirTemp("", "causeway-wire-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(buildFolder)
	os.Exit(code)
}

// startBinary runs `causeway dev` on free ports until the test ends, and sees
// that it ends well when it is interrupted.
func startBinary(t *testing.T) *dev.File {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatalf("go build: %v", err)
	}
	folder := t.TempDir()
	cmd := exec.Command(file, "dev", "--listen-base", "0", "--json", "--folder", folder)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		killer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer killer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("causeway dev, interrupted: %v\n%s", err, errors.String())
		}
	})
	// It prints dev.json when it serves.
	var printed, written dev.File
	if err := json.NewDecoder(out).Decode(&printed); err != nil {
		t.Fatalf("causeway dev printed no dev.json: %v\n%s", err, errors.String())
	}
	text, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	if printed.Site("east").API != written.Site("east").API {
		t.Fatalf("it printed %s and wrote %s", printed.Site("east").API, written.Site("east").API)
	}
	return &written
}
