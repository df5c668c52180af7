package sitetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"causeway/internal/porttest"
)

// apart is a network of two sites whose link can be cut while clients still reach
// both.
type apart interface {
	// site says where the i-th site listens, and where the other one finds it.
	site(i int) place
	cut(t testing.TB)
	heal(t testing.TB)
}

// place is where one site is.
type place struct {
	within     []string // what runs a command there
	host       string   // to listen on
	public     int      // port
	peer       int
	operations int
	url        string // what the other site and clients call it
	advertise  string // where the other site dials its peer listener
	database   func(t testing.TB, url string) string
	more       string // YAML to append to its configuration
	// dial is how clients reach it; nil is from where the test runs.
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// newApart makes network namespaces, where it may, and else relays on loopback.
func newApart(t testing.TB) apart {
	t.Helper()
	if n, err := newNamespaces(t); err == nil {
		return n
	} else {
		t.Logf("no network namespaces, so relays stand between the sites: %v", err)
	}
	return newRelays(t)
}

// namespaces are joined by a bridge whose ports can be kept from each other. What
// is cut is silent: nobody is told that nobody is there. The bridge is in a namespace
// too: a browser of another test drops its connections when the machine's own network
// changes.
type namespaces struct {
	id     string
	subnet string
}

func newNamespaces(t testing.TB) (*namespaces, error) {
	n := &namespaces{id: "cw" + strconv.Itoa(os.Getpid()%10_000), subnet: fmt.Sprintf("10.%d.%d.", 64+os.Getpid()%60, os.Getpid()/60%250)}
	t.Cleanup(n.remove)
	var err error
	for _, c := range []string{"ip netns add IDb", "ip -n IDb link add name bridge0 type bridge", "ip -n IDb addr add SUBNET1/24 dev bridge0", "ip -n IDb link set bridge0 up"} {
		err = first(err, n.ip(c, 0))
	}
	for i := range 2 {
		for _, c := range []string{
			"ip netns add IDsN", "ip -n IDb link add name portN type veth peer name eth0 netns IDsN", "ip -n IDb link set portN master bridge0 up",
			"ip -n IDsN addr add SUBNETN/24 dev eth0", "ip -n IDsN link set eth0 up", "ip -n IDsN link set lo up",
		} {
			err = first(err, n.ip(c, i))
		}
	}
	if err == nil {
		err = inNamespace(n.id+"b", func() error { return nil })
	}
	return n, err
}

// ip runs a command in which N is the number of a site.
func (n *namespaces) ip(command string, i int) error {
	words := strings.Fields(strings.NewReplacer("SUBNETN", n.host(i), "SUBNET", n.subnet, "ID", n.id, "N", strconv.Itoa(i)).Replace(command))
	return run(words[0], words[1:]...)
}

func (n *namespaces) host(i int) string { return n.subnet + strconv.Itoa(10+i) }

func (n *namespaces) remove() {
	for i := range 2 {
		_ = n.ip("ip netns del IDsN", i) // what was not made cannot be removed
	}
	_ = n.ip("ip netns del IDb", 0)
}

func (n *namespaces) site(i int) place {
	const public, peer, operations = 8443, 7443, 9443
	return place{
		within: []string{"ip", "netns", "exec", n.id + "s" + strconv.Itoa(i)},
		host:   n.host(i), public: public, peer: peer, operations: operations,
		url:       fmt.Sprintf("https://%s:%d", n.host(i), public),
		advertise: fmt.Sprintf("%s:%d", n.host(i), peer),
		database:  n.through,
		dial:      n.dial,
	}
}

// dial connects from beside the bridge, which is never cut.
func (n *namespaces) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = inNamespace(n.id+"b", func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// through leads to a database of this machine's loopback, which the namespaces do
// not have.
func (n *namespaces) through(t testing.TB, url string) string {
	t.Helper()
	host, rest, _ := strings.Cut(url[strings.LastIndexByte(url, '@')+1:], "/")
	var l net.Listener
	err := inNamespace(n.id+"b", func() (err error) {
		l, err = net.Listen("tcp", n.subnet+"1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go (&relay{to: host}).serve(l)
	return url[:strings.LastIndexByte(url, '@')+1] + l.Addr().String() + "/" + rest
}

func (n *namespaces) cut(t testing.TB)  { n.isolate(t, "on") }
func (n *namespaces) heal(t testing.TB) { n.isolate(t, "off") }

func (n *namespaces) isolate(t testing.TB, on string) {
	t.Helper()
	for i := range 2 {
		if err := n.ip("bridge -n IDb link set dev portN isolated "+on, i); err != nil {
			t.Fatal(err)
		}
	}
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// relays stand where each site says that it is.
type relays struct {
	places [2]place
	all    []*relay
}

func newRelays(t testing.TB) *relays {
	t.Helper()
	r := &relays{}
	for i := range r.places {
		base := porttest.Base(t)
		p := place{host: "127.0.0.1", public: base, peer: base + 1, operations: base + 2, database: func(_ testing.TB, url string) string { return url }}
		p.url, p.advertise = "https://"+r.between(t, p.public), r.between(t, p.peer)
		r.places[i] = p
	}
	return r
}

func (r *relays) between(t testing.TB, port int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	one := &relay{to: "127.0.0.1:" + strconv.Itoa(port)}
	r.all = append(r.all, one)
	go one.serve(l)
	return l.Addr().String()
}

func (r *relays) site(i int) place { return r.places[i] }

func (r *relays) cut(testing.TB) {
	for _, one := range r.all {
		one.mute(true)
	}
}

func (r *relays) heal(testing.TB) {
	for _, one := range r.all {
		one.mute(false)
	}
}

// relay copies bytes both ways, or swallows them.
type relay struct {
	to    string
	mu    sync.Mutex
	muted chan struct{} // nil, or closed when bytes flow again
}

func (r *relay) mute(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case on && r.muted == nil:
		r.muted = make(chan struct{})
	case !on && r.muted != nil:
		close(r.muted)
		r.muted = nil
	}
}

// wait returns once bytes may flow.
func (r *relay) wait() {
	r.mu.Lock()
	muted := r.muted
	r.mu.Unlock()
	if muted != nil {
		<-muted
	}
}

func (r *relay) serve(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			r.wait()
			out, err := net.Dial("tcp", r.to)
			if err != nil {
				in.Close()
				return
			}
			go r.copy(in, out)
			r.copy(out, in)
		}()
	}
}

func (r *relay) copy(to, from net.Conn) {
	defer to.Close()
	_, _ = io.Copy(to, gate{r, from}) // either end may be killed
}

// gate holds back what arrives while the relay is muted.
type gate struct {
	relay *relay
	io.Reader
}

func (g gate) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	g.relay.wait()
	return n, err
}
