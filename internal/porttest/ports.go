// Package porttest gives tests ports that stay theirs while nobody listens on them.
package porttest

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Ports are leased in blocks, from below the range out of which systems give
// ports to outgoing connections, and above 10080, which browsers refuse.
const (
	lowestPort = 10_100
	portBlock  = 20
	portBlocks = 1_000
	staleLease = 2 * time.Hour // of a test that was killed
)

// Base leases the ports from the returned one on, as `--listen-base` uses them,
// until the test ends. Looking for free ports alone is not enough: a site that is
// down for a moment would find another package's test on its own.
func Base(t testing.TB) int {
	t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("causeway-test-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 10 * portBlocks {
		base := lowestPort + portBlock*rand.IntN(portBlocks)
		file := filepath.Join(dir, strconv.Itoa(base))
		if !lease(t, file) {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(file) })
		if free(base) {
			return base
		}
	}
	t.Fatal("no free ports were found")
	return 0
}

func lease(t testing.TB, file string) bool {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_ = f.Close()
		return true
	}
	if !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > staleLease {
		_ = os.Remove(file) // for whoever looks next
	}
	return false
}

// free reports whether nobody listens in a block.
func free(base int) bool {
	for port := base; port < base+portBlock; port++ {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return false
		}
		_ = l.Close()
		u, err := net.ListenPacket("udp", addr)
		if err != nil {
			return false
		}
		_ = u.Close()
	}
	return true
}
