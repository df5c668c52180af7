package peer

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"causeway/tenants"
)

// Door is where peers come in. It remembers which key proved each connection, and
// shows out those that would not be let in today.
type Door struct {
	Identity *Identity
	// Allowed are the keys that prove an associated site, none for any other, from
	// memory: any stranger's handshake asks.
	Allowed func(tenants.SiteID) Keys
	// Unknown, if set, is told of a site in whose name a key was shown that is not
	// allowed. It must not wait.
	Unknown func(tenants.SiteID)
	// Away, if set, says that this cell can serve nobody now: peers are to go to
	// another cell of the site. It must not wait.
	Away func() bool

	mu   sync.Mutex
	open map[*guest]tls.ConnectionState
}

// guest is a connection below TLS.
type guest struct {
	net.Conn
	door *Door
}

func (g *guest) Close() error {
	g.door.mu.Lock()
	delete(g.door.open, g)
	g.door.mu.Unlock()
	return g.Conn.Close()
}

type doorListener struct {
	net.Listener
	door *Door
}

// Accept shuts the door in everybody's face while the cell is away, and says
// nothing: whoever dials tries the site's next address then, while an alert of TLS
// would tell that the sites are not associated.
func (l doorListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.door.away() {
			return &guest{c, l.door}, nil
		}
		_ = c.Close()
	}
}

func (d *Door) away() bool { return d.Away != nil && d.Away() }

// Handler sends the guests of a cell that is away to another one: they get h's
// answer, and with it (RFC 9113 §6.8) that the connection takes no more requests.
// What is under way on it finishes.
func (d *Door) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.away() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// Listener is what a server with TLS's configuration accepts from.
func (d *Door) Listener(l net.Listener) net.Listener { return doorListener{l, d} }

// TLS is [Identity.ServerTLS] for connections of Listener.
func (d *Door) TLS() *tls.Config {
	c := d.Identity.ServerTLS(d.Allowed)
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own := c.Clone()
		own.GetConfigForClient = nil
		own.VerifyConnection = func(s tls.ConnectionState) error {
			if err := c.VerifyConnection(s); err != nil {
				d.refused(s, err)
				return err
			}
			return d.enter(hello.Conn, s)
		}
		return own, nil
	}
	return c
}

func (d *Door) refused(s tls.ConnectionState, err error) {
	if !errors.Is(err, ErrUnknownKey) || d.Unknown == nil {
		return
	}
	if site, err := leafSite(s.PeerCertificates[0]); err == nil {
		d.Unknown(site)
	}
}

// enter remembers a connection, unless its key has been taken away since it was
// looked at.
func (d *Door) enter(c net.Conn, s tls.ConnectionState) error {
	g, ok := c.(*guest)
	if !ok {
		return errors.New("peer: the connection did not come through the door")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.proves(s) {
		return ErrUnknownKey
	}
	if d.open == nil {
		d.open = map[*guest]tls.ConnectionState{}
	}
	d.open[g] = s
	return nil
}

func (d *Door) proves(s tls.ConnectionState) bool {
	site, err := leafSite(s.PeerCertificates[0])
	return err == nil && d.Allowed(site).has(issuerOf(s.PeerCertificates[0])) && !over(s, d.Identity.now())
}

// over reports whether a connection outlived the certificate that it was opened
// with. A peer of ours renews its connections in half of that time.
func over(s tls.ConnectionState, now time.Time) bool {
	return now.After(s.PeerCertificates[0].NotAfter.Add(skew))
}

// Rejudge ends the connections that Allowed would not let in today.
func (d *Door) Rejudge() {
	d.mu.Lock()
	var out []*guest
	for g, s := range d.open {
		if !d.proves(s) {
			out = append(out, g)
		}
	}
	d.mu.Unlock()
	for _, g := range out {
		g.Close()
	}
}
