package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The same sources give the same bytes wherever they lie, and the same list of
// parts.
func TestBuild_R15_TheSameBytesFromTwoDirectories(t *testing.T) {
	here, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(t.TempDir(), "another", "place")
	if err := os.MkdirAll(there, 0o700); err != nil {
		t.Fatal(err)
	}
	do(t, here, "sh", "-c", `git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t "$0"`, there)
	t.Chdir(here) // where the modules are known
	used, err := load()
	if err != nil {
		t.Fatal(err)
	}
	var binaries, lists [2][]byte
	for i, dir := range []string{here, there} {
		out := filepath.Join(t.TempDir(), "causeway")
		do(t, dir, "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out, "./cmd/causeway")
		if binaries[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
		var list bytes.Buffer
		if err := writeSBOM(&list, out, "v1", used); err != nil {
			t.Fatal(err)
		}
		lists[i] = list.Bytes()
	}
	if !bytes.Equal(binaries[0], binaries[1]) {
		t.Error("two directories give two binaries")
	}
	if !bytes.Equal(lists[0], lists[1]) || !strings.Contains(string(lists[0]), "pkg:golang/github.com/gin-gonic/gin@") {
		t.Errorf("the lists of parts differ, or lack what is in the binary:\n%s", lists[0])
	}
	if bytes.Contains(binaries[0], []byte(here)) {
		t.Error("the binary names the directory that it was built in")
	}
}

func do(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", args, err, out)
	}
}
