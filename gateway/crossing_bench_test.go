package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/benchtest"
	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/httpapi"
	"causeway/internal/porttest"
	"causeway/internal/sitetest"
)

// BenchmarkCrossing measures a request with a known token that another site fulfils
// beside the same request at home, and beside a bare hop over mutual TLS, in turns.
// Both sites, the client, the instance and the other end of the hop are processes of
// their own. x-local is the processor time of both sites to that of one for a local
// request, of 16 connections, and x-bare to that of a bare reverse proxy; x-hop is what
// crossing adds to the median time of one request at a time, to that of the hop.
func BenchmarkCrossing(b *testing.B) {
	folder, base := b.TempDir(), porttest.Base(b)
	must(b, dev.Prepare(b.Context(), dev.Options{Folder: folder, Base: &base}))
	text, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	must(b, err)
	var file dev.File
	must(b, json.Unmarshal(text, &file))
	behind := benchtest.Instance(b)
	west := benchtest.Process(b, asSite, standing{folder, "west", behind})
	east := benchtest.Process(b, asSite, standing{folder, "east", behind})

	c := sitetest.NewClient(b, &file)
	admin := c.Login(b, "west", "acme")
	id, _ := c.Account(b, "west", admin, "inventory-bot")
	access, _ := c.Connect(b, "west", "acme", id)
	abroad := sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs")
	for deadline := time.Now().Add(30 * time.Second); c.Get(b, "west", "/sample/inventory", abroad).Status != http.StatusOK; {
		if time.Now().After(deadline) {
			b.Fatal("the sites do not find each other")
		}
		time.Sleep(50 * time.Millisecond)
	}
	proxy := benchtest.Process(b, asBare, behind)
	ask := func(connections int, addr, header string) *benchtest.Client {
		return benchtest.Launch(b, benchtest.Plan{
			Addr: addr, Get: true, Path: "/sample/inventory", Bodies: make([]string, connections), Status: http.StatusOK,
			Header: "Authorization: Bearer " + access + "\r\n" + header,
		})
	}
	crossing := httpapi.HeaderAuthContext + ": acme-labs\r\n"
	many := [3]*benchtest.Client{ask(16, west.Said, crossing), ask(16, west.Said, ""), ask(16, proxy.Said, "")}
	alone := [2]*benchtest.Client{ask(1, west.Said, crossing), ask(1, west.Said, "")}
	hop := bareHop(b)
	var cpu [3]benchtest.Series
	var took [2]benchtest.Series
	var added, bare benchtest.Series
	spent := func() time.Duration {
		return benchtest.Family(west.PID) + benchtest.Family(east.PID) + benchtest.Family(proxy.PID)
	}
	benchtest.Turns(b, func() {
		for i := range many {
			before := spent()
			r := many[i].Run(b, benchtest.Turn)
			cpu[i].Add(share(spent()-before, r.Requests))
		}
		var p50 [2]float64
		for i := range alone {
			p50[i] = float64(alone[i].Run(b, benchtest.Turn/3).P50.Nanoseconds()) / 1000
			took[i].Add(p50[i])
		}
		added.Add(p50[0] - p50[1])
		bare.Add(median(hop))
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(cpu[0].Per(cpu[1]), "x-local")
	b.ReportMetric(cpu[0].Per(cpu[2]), "x-bare")
	b.ReportMetric(cpu[0].Median(), "both-cpu-µs")
	b.ReportMetric(cpu[1].Median(), "local-cpu-µs")
	b.ReportMetric(cpu[2].Median(), "bare-cpu-µs")
	b.ReportMetric(added.Per(bare), "x-hop")
	b.ReportMetric(took[0].Median(), "p50-µs")
	b.ReportMetric(took[1].Median(), "local-p50-µs")
	b.ReportMetric(bare.Median(), "hop-p50-µs")
}

// asSite makes a test binary one of the two sites, asBare a reverse proxy, asHop the
// other end of a hop.
const (
	asSite = "CAUSEWAY_BENCH_SITE"
	asBare = "CAUSEWAY_BENCH_BARE"
	asHop  = "CAUSEWAY_BENCH_HOP"
)

type standing struct{ Folder, Site, Behind string }

// standSite serves a site, also without TLS, until nobody holds its input.
func standSite(args string) {
	var s standing
	err := json.Unmarshal([]byte(args), &s)
	if err != nil {
		panic(err)
	}
	d, err := dev.Start(context.Background(), dev.Options{Folder: s.Folder, Site: s.Site, Adjust: func(c *config.Config) {
		c.Services[0].Upstream = s.Behind
		c.Limits.Crossing.OrgAtPeer = config.Budget{Tokens: 100_000, Per: time.Second}
		c.Limits.Crossing.Peer = config.Budget{Tokens: 1_000_000, Per: time.Second}
	}})
	if err != nil {
		panic(err)
	}
	gate := httptest.NewServer(d.Site(s.Site).Public())
	benchtest.Ready(gate.Listener.Addr().String())
	gate.CloseClientConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = d.Stop(ctx) // what is still asked is cut
}

// standBare is a bare reverse proxy.
func standBare(args string) {
	var behind string
	if err := json.Unmarshal([]byte(args), &behind); err != nil {
		panic(err)
	}
	proxy := httptest.NewServer(bareProxy(behind))
	benchtest.Ready(proxy.Listener.Addr().String())
	proxy.CloseClientConnections()
}

// median is how long one request takes, one after the other, in microseconds.
func median(do func()) float64 {
	var took benchtest.Series
	for range 1000 {
		begin := time.Now()
		do()
		took.Add(float64(time.Since(begin).Nanoseconds()) / 1000)
	}
	return took.Median()
}

// pairing is what both ends of a hop show and trust.
type pairing struct{ Certificate, Key []byte }

func (p pairing) config() *tls.Config {
	leaf, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		panic(err)
	}
	key, err := x509.ParseECPrivateKey(p.Key)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: "hop", ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{p.Certificate}, PrivateKey: key}},
	}
}

// bareHop asks a server behind mutual TLS 1.3 and HTTP/2 for 1 KiB, on one warm
// connection.
func bareHop(b *testing.B) func() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(b, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"hop"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	var p pairing
	p.Certificate, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(b, err)
	p.Key, err = x509.MarshalECPrivateKey(key)
	must(b, err)
	server := benchtest.Process(b, asHop, p)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: p.config()}
	b.Cleanup(transport.CloseIdleConnections)
	return func() {
		r, _ := http.NewRequest(http.MethodGet, "https://"+server.Said, nil)
		r.Header.Set("Authorization", "Bearer "+strings.Repeat("t", 690))
		res, err := transport.RoundTrip(r)
		must(b, err)
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n != 1024 {
			b.Fatal(n, err)
		}
	}
}

func standHop(args string) {
	var p pairing
	if err := json.Unmarshal([]byte(args), &p); err != nil {
		panic(err)
	}
	answer := make([]byte, 1024)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	server.EnableHTTP2, server.TLS = true, p.config()
	server.StartTLS()
	benchtest.Ready(server.Listener.Addr().String())
	server.CloseClientConnections()
}
