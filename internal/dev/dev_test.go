package dev

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestPortsOfAPlan(t *testing.T) {
	f := newFile("folder")
	if err := f.assignPorts(defaultBase); err != nil {
		t.Fatal(err)
	}
	for site, want := range map[string]Ports{
		"west": {Public: 8443, Peer: 8444, Gossip: 8446, Operations: 9443, Sample: 8448},
		"east": {Public: 8453, Peer: 8454, Gossip: 8456, Operations: 8457, Sample: 8458},
	} {
		if got := f.Site(site).Ports; got != want {
			t.Errorf("%s: %+v, want %+v", site, got, want)
		}
	}
	if s := f.Site("west"); s.API != "https://localhost:8443" || s.Portal != "https://localhost:8443/provider" || s.Ops != "http://127.0.0.1:9443" {
		t.Errorf("links %s %s %s", s.API, s.Portal, s.Ops)
	}
	if err := f.assignPorts(20_000); err != nil {
		t.Fatal(err)
	}
	if got := f.Site("east").Ports; got.Public != 20_010 || got.Operations != 20_014 {
		t.Errorf("east of base 20000: %+v", got)
	}
}

// A folder keeps its free ports, so they must not be ones that the system gives
// to anybody's outgoing connection while the sites are stopped.
func TestFreePortsStayFree(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		p, err := freePorts()
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range []int{p.Public, p.Peer, p.Gossip, p.Operations, p.Sample} {
			if port < 1024 || port >= 32_768 {
				t.Errorf("port %d", port)
			}
			seen[port] = true
		}
		if len(map[int]bool{p.Public: true, p.Peer: true, p.Gossip: true, p.Operations: true, p.Sample: true}) != 5 {
			t.Errorf("one port for two listeners: %+v", p)
		}
	}
	if len(seen) < 50 {
		t.Errorf("100 ports are only %d: two pairs would meet", len(seen))
	}
}

func TestUnknownSiteTouchesNothing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	if _, err := Start(context.Background(), Options{Folder: folder, Site: "north"}); !errors.Is(err, ErrNoSuchSite) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was made")
	}
}
