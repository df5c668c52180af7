package gossip

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"causeway/tenants"
)

type cell struct {
	*Cells
	hints chan int64
}

func startCell(t *testing.T, site tenants.SiteID, id string, tweak func(*CellsConfig)) *cell {
	t.Helper()
	c := &cell{hints: make(chan int64, 100)}
	cfg := CellsConfig{Pool: hurried(), Site: site, Cell: id, Hint: func(seq int64) { c.hints <- seq }}
	if tweak != nil {
		tweak(&cfg)
	}
	var err error
	if c.Cells, err = NewCells(cfg); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil && !strings.Contains(err.Error(), "leave broadcast") {
			t.Error(err)
		}
	})
	return c
}

func (c *cell) knows(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(8 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s := c.Stats()
		if s.Members == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("knows %d cells, want %d", s.Members, n)
		}
	}
}

func through(c *cell) func(*CellsConfig) {
	return func(cfg *CellsConfig) { addr := c.Addr(); cfg.Seeds = func() []string { return []string{addr} } }
}

func TestCellsTellEachOther_R4(t *testing.T) {
	a := startCell(t, siteA, "a", nil)
	b := startCell(t, siteA, "b", through(a))
	c := startCell(t, siteA, "c", through(a))
	other := startCell(t, siteB, "b2", through(a))
	for _, n := range []*cell{a, b, c} {
		n.knows(t, 2)
	}
	if err := a.Tell(t.Context(), 42); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*cell{b, c} {
		select {
		case seq := <-n.hints:
			if seq != 42 {
				t.Errorf("told %d", seq)
			}
		case <-time.After(8 * time.Second):
			t.Fatal("not told")
		}
	}
	if s := other.Stats(); s.Members != 0 {
		t.Error("a cell of another site is in the pool")
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	a.knows(t, 1)
	if err := b.Tell(context.Background(), 1); err == nil {
		t.Error("a stopped cell tells")
	}
	// It comes back under a new name, at another address.
	startCell(t, siteA, "b'", through(a))
	a.knows(t, 2)
	c.knows(t, 2)
}

func TestCellsPoolIsBounded_R13(t *testing.T) {
	c, err := NewCells(CellsConfig{Pool: hurried(), Site: siteA, Cell: "self", Hint: func(int64) {}})
	if err != nil {
		t.Fatal(err)
	}
	d := cellsDelegate{c}
	for i := range 10 * maxCells {
		n := &memberlist.Node{Name: fmt.Sprint(i)}
		if d.NotifyAlive(n) == nil {
			d.NotifyJoin(n)
		}
	}
	if s := c.Stats(); s.Members != maxCells || s.Rejected != 9*maxCells {
		t.Errorf("%+v", s)
	}
	if d.NotifyAlive(&memberlist.Node{Name: "1"}) != nil || d.NotifyAlive(&memberlist.Node{Name: "self"}) != nil {
		t.Error("who is known is refused")
	}
	if d.NotifyAlive(&memberlist.Node{Name: "1", Meta: []byte{1}}) == nil {
		t.Error("a meta was taken")
	}
	d.NotifyLeave(&memberlist.Node{Name: "1"})
	if d.NotifyAlive(&memberlist.Node{Name: "new"}) != nil {
		t.Error("room is not given back")
	}
}

func TestCellsConfigIsChecked_R11(t *testing.T) {
	for name, spoil := range map[string]func(*CellsConfig){
		"site": func(c *CellsConfig) { c.Site = "x" }, "cell": func(c *CellsConfig) { c.Cell = "" }, "hint": func(c *CellsConfig) { c.Hint = nil },
		"keys": func(c *CellsConfig) { c.Keys = nil }, "listen": func(c *CellsConfig) { c.Listen = "x" },
	} {
		cfg := CellsConfig{Pool: hurried(), Site: siteA, Cell: "a", Hint: func(int64) {}}
		spoil(&cfg)
		if _, err := NewCells(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzHint(f *testing.F) {
	f.Add(encodeHint(1))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		seq, ok := decodeHint(b)
		if ok && (seq <= 0 || !bytes.Equal(encodeHint(seq), b)) {
			t.Fatalf("%x is read as %d", b, seq)
		}
	})
}
