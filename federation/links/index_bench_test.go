package links

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
	"causeway/federation/route"
	"causeway/tenants"
)

// many is a store that holds nothing but associations.
type many struct {
	federation.Store
	federation.Reader
	per int
	key string
}

func (m many) View(_ context.Context, f func(federation.Reader) error) error { return f(m) }

func (m many) OrgAssociations(local tenants.OrgID) (list []federation.OrgAssociation, err error) {
	for i := range m.per {
		list = append(list, federation.OrgAssociation{
			Local: local, Remote: remoteOf(local, i), RemoteName: fmt.Sprintf("Tenant-%s-%d", local[30:], i), Site: siteOf(i),
			PublicKey: m.key, Status: federation.StatusActive,
		})
	}
	return list, nil
}

func (m many) SiteAssociation(site tenants.SiteID) (federation.SiteAssociation, error) {
	return federation.SiteAssociation{Site: site, PublicKey: m.key, Status: federation.StatusActive, RestEndpoint: "https://x.example/api"}, nil
}

func localOf(i int) tenants.OrgID {
	return tenants.OrgID(fmt.Sprintf("10000000-0000-4000-8000-%012d", i))
}

func remoteOf(local tenants.OrgID, i int) tenants.OrgID {
	return tenants.OrgID(fmt.Sprintf("2%07d-0000-4000-8000-%s", i, local[24:]))
}

func siteOf(i int) tenants.SiteID {
	return tenants.SiteID(fmt.Sprintf("30000000-0000-4000-8000-%012d", i))
}

// BenchmarkIndex is a site with 100,000 associations: what they take in memory,
// and what deciding a request's route costs among them.
func BenchmarkIndex(b *testing.B) {
	const orgs, per = 20_000, 5
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	text, err := EncodePublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	identity, err := peer.NewIdentity(siteOf(999), func() *ecdsa.PrivateKey { return key }, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	forwarder, err := peer.NewForwarder(peer.Config{Identity: identity, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer forwarder.Close()
	before := alive()
	l, err := New(Config{Store: many{per: per, key: text}, Self: federation.Self{ID: siteOf(999)}, Forwarder: forwarder, Size: orgs, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	for i := range orgs {
		if _, err := l.index.associations(b.Context(), localOf(i)); err != nil {
			b.Fatal(err)
		}
	}
	held := float64(alive()-before) / (1 << 20)
	n := 0
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		local := localOf(n % orgs)
		n += 7919
		h := http.Header{route.TenantContextHeader: {string(remoteOf(local, n%per))}}
		to, err := l.Resolve(b.Context(), tenants.Principal{Kind: tenants.KindServiceAccount, Org: local, OrgName: "Own"}, h)
		if err != nil || to.Local {
			b.Fatalf("%+v %v", to, err)
		}
	}
	b.ReportMetric(held, "MiB")
	runtime.KeepAlive(l)
}

func alive() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
