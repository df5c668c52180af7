package dev

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"time"

	"causeway/internal/config"
	"causeway/internal/secret"
	"causeway/services/upstream"
	"causeway/tenants"
)

// sample organizations and what differs between the sites: the same account may
// do different things at each, because the fulfilling site's role counts.
type orgPlan struct {
	name    string
	account bool // whether inventory-bot exists there
	role    string
	rights  []tenants.Right
}

var sitePlans = []struct {
	name string
	orgs []orgPlan
}{
	{"west", []orgPlan{
		{"acme", true, "Inventory Operator", []tenants.Right{upstream.SampleView, upstream.SampleReserve}},
	}},
	{"east", []orgPlan{
		{"acme", true, "Inventory Auditor", []tenants.Right{upstream.SampleView, upstream.SampleAudit}},
		{"acme-labs", true, "Inventory Operator", []tenants.Right{upstream.SampleView, upstream.SampleReserve}},
		{"globex", false, "Inventory Operator", []tenants.Right{upstream.SampleView, upstream.SampleReserve}},
	}},
}

// associated are the pairs of organizations that trust each other.
var associated = [][2]struct{ site, org string }{
	{{"west", "acme"}, {"east", "acme"}},
	{{"west", "acme"}, {"east", "acme-labs"}},
}

const (
	accountName = "inventory-bot"
	defaultBase = 8443
	eastOffset  = 10 // east's ports lie this much above west's
)

// newFile plans a folder that holds nothing yet: names, passwords and ports. It
// is written before anything is made, so that a start that was cut short goes on
// with the same ones.
func newFile(folder string) *File {
	f := &File{CA: filepath.Join(folder, "ca.pem"), Account: Account{Name: accountName, SoftwareID: tenants.NewID()}}
	for _, p := range sitePlans {
		s := SiteFile{Name: p.name, Sample: "/sample", Admin: Login{"administrator", secret.Base62(16)}}
		for _, o := range p.orgs {
			s.Organizations = append(s.Organizations, OrgFile{Name: o.name, Admin: Login{o.name + "-admin", secret.Base62(16)}})
		}
		f.Sites = append(f.Sites, s)
	}
	return f
}

// assignPorts derives every port from base, or takes free ones for 0.
func (f *File) assignPorts(base int) error {
	for i := range f.Sites {
		s := &f.Sites[i]
		if base != 0 {
			b := base + i*eastOffset
			// +2 is where cells of one site gossip; a site of one cell leaves it.
			s.Ports = Ports{Public: b, Peer: b + 1, Gossip: b + 3, Operations: b + 4, Sample: b + 5}
			if i == 0 && base == defaultBase {
				s.Ports.Operations = 9443
			}
		} else {
			var err error
			if s.Ports, err = freePorts(); err != nil {
				return err
			}
		}
		s.API = fmt.Sprintf("https://localhost:%d", s.Ports.Public)
		s.Portal = s.API + "/provider"
		s.Ops = fmt.Sprintf("http://127.0.0.1:%d", s.Ports.Operations)
	}
	return nil
}

// Free ports are looked for below the range out of which systems give ports to
// outgoing connections: a folder keeps its ports, and while its sites are stopped
// no connection must come to sit on one of them.
const (
	lowestFree  = 10_000
	highestFree = 32_000
)

// freePorts finds ports that nobody uses; gossip needs the same number for TCP
// and UDP.
func freePorts() (p Ports, err error) {
	for _, port := range []*int{&p.Public, &p.Peer, &p.Gossip, &p.Operations, &p.Sample} {
		l, u, err := listenFree()
		if err != nil {
			return Ports{}, err
		}
		defer l.Close() // held until all are found, so that none is found twice
		defer u.Close()
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

func listenFree() (l net.Listener, u net.PacketConn, err error) {
	for range 100 {
		addr := loopback(lowestFree + rand.IntN(highestFree-lowestFree))
		if l, err = net.Listen("tcp", addr); err != nil {
			continue
		}
		if u, err = net.ListenPacket("udp", addr); err == nil {
			return l, u, nil
		}
		l.Close()
	}
	return nil, nil, fmt.Errorf("no free port was found: %w", err)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// siteFolder is where a site keeps its database and keys.
func siteFolder(folder, site string) string { return filepath.Join(folder, site) }

// siteConfig is the configuration that `causeway serve` would run the site with.
func (f *File) siteConfig(folder string, s *SiteFile) *config.Config {
	own := siteFolder(folder, s.Name)
	c := config.Defaults()
	c.Site.Name = s.Name
	c.Public = config.Public{
		Listen: loopback(s.Ports.Public), URL: s.API,
		Certificate: filepath.Join(own, "public.pem"), Key: filepath.Join(own, "public-key.pem"), Authority: f.CA,
	}
	c.Peer = config.Peer{Listen: loopback(s.Ports.Peer), Advertise: loopback(s.Ports.Peer)}
	c.Gossip = &config.Gossip{Federation: "dev", Listen: loopback(s.Ports.Gossip), KeyFile: filepath.Join(folder, "gossip.key"), Profile: "local"}
	for i := range f.Sites {
		if other := &f.Sites[i]; other.Name != s.Name {
			c.Gossip.Seeds = append(c.Gossip.Seeds, loopback(other.Ports.Gossip))
		}
	}
	c.Federation.AllowedNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c.Operations.Listen = loopback(s.Ports.Operations)
	c.Database.URL = secret.Text("sqlite://" + filepath.Join(own, "causeway.db"))
	c.Keys.MasterFile = filepath.Join(own, "master.key")
	sample := config.Service{Name: "sample", Prefix: s.Sample, Upstream: "http://" + loopback(s.Ports.Sample)}
	for _, r := range upstream.SampleRules() {
		sample.Routes = append(sample.Routes, config.ServiceRoute{Method: r.Method, Path: r.Path, Right: string(r.Right)})
	}
	c.Services = []config.Service{sample}
	// Here everything is on this host.
	c.CSP.InstanceNetworks, c.CSP.InstanceHTTP = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "allowed"
	return c
}

// certificateLife is when a site's certificate is made anew at a start.
const certificateLife = 180 * 24 * time.Hour
