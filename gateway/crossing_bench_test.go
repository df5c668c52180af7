package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"causeway/internal/benchtest"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// BenchmarkCrossing measures a request with a known token that another site
// fulfils beside the same request at home, and beside a bare hop over mutual TLS,
// in turns. x-local is the processor time of both sites to that of one for a local
// request, each less client and service; x-hop is what crossing adds to the time
// of one request at a time, to the time of the bare hop.
func BenchmarkCrossing(b *testing.B) {
	p := sitetest.Start(b, storetest.SQLite)
	c := p.Client
	admin := c.Login(b, "west", "acme")
	id, _ := c.Account(b, "west", admin, "inventory-bot")
	access, _ := c.Connect(b, "west", "acme", id)
	gate := httptest.NewServer(p.Site("west").Public())
	defer gate.Close()
	pool := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer pool.CloseIdleConnections()
	hop, link := bareHop(b)

	ask := func(client *http.Client, url string, header http.Header) func() {
		return func() {
			r, _ := http.NewRequest(http.MethodGet, url, nil)
			r.Header = header
			res, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			defer res.Body.Close()
			_, _ = io.Copy(io.Discard, res.Body)
			if res.StatusCode != http.StatusOK {
				b.Errorf("%s: status %d", url, res.StatusCode)
			}
		}
	}
	bearer := http.Header{"Authorization": {"Bearer " + access}}
	ways := []func(){
		ask(pool, gate.URL+"/sample/inventory", sitetest.Bearer(access, "X-VMWARE-VCLOUD-AUTH-CONTEXT", "acme-labs")),
		ask(pool, gate.URL+"/sample/inventory", bearer),
		ask(pool, "http://127.0.0.1:"+strconv.Itoa(c.Site("west").Ports.Sample)+"/sample/inventory", bearer),
		ask(link, hop, bearer),
	}
	for _, do := range ways {
		do()
	}
	var both, local, added, bare, crossing benchtest.Series
	statements := func() uint64 { return uint64(p.Site("west").DB().Statements() + p.Site("east").DB().Statements()) }
	before, rounds := statements(), 0
	benchtest.Turns(b, func() {
		rounds++
		var spent, alone [4]float64
		for i, do := range ways {
			spent[i], alone[i] = together16(do), median(do)
		}
		both.Add(spent[0] - spent[2])
		local.Add(spent[1] - spent[2])
		added.Add(alone[0] - alone[1])
		bare.Add(alone[3])
		crossing.Add(alone[0])
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(both.Per(local), "x-local")
	b.ReportMetric(both.Median(), "both-cpu-µs")
	b.ReportMetric(added.Per(bare), "x-hop")
	b.ReportMetric(crossing.Median(), "p50-µs")
	b.ReportMetric(bare.Median(), "hop-p50-µs")
	b.ReportMetric(float64(statements()-before)/float64(rounds), "statements/round")
}

// together16 is the processor time of one of many requests, 16 at once, in
// microseconds.
func together16(do func()) float64 {
	const each = 60
	before := processorTime()
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range each {
				do()
			}
		})
	}
	wait.Wait()
	return float64((processorTime() - before).Microseconds()) / (16 * each)
}

// median is how long one request takes, one after the other, in microseconds.
func median(do func()) float64 {
	var took benchtest.Series
	for range 300 {
		begin := time.Now()
		do()
		took.Add(float64(time.Since(begin).Nanoseconds()) / 1000)
	}
	return took.Median()
}

// bareHop is a server behind mutual TLS 1.3 and HTTP/2 that answers 1 KiB, and a
// client with one warm connection to it.
func bareHop(b *testing.B) (string, *http.Client) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(b, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"hop"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(b, err)
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	leaf, err := x509.ParseCertificate(der)
	must(b, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	answer := make([]byte, 1024)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	b.Cleanup(server.Close)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate}, RootCAs: roots, ServerName: "hop",
	}}
	b.Cleanup(transport.CloseIdleConnections)
	return server.URL, &http.Client{Transport: transport}
}
