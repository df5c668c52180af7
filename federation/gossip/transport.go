package gossip

import (
	"context"
	"errors"
	"log"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// dialTimeout bounds a connection to one member: joining goes through them one
// by one, and a black hole must not keep the rest waiting.
const dialTimeout = 3 * time.Second

// Transport is how memberlist reaches others.
type Transport interface {
	memberlist.NodeAwareTransport
	GetAutoBindPort() int // where it listens, once a port was chosen
}

// transport is memberlist's own, except that dialing ends with Stop.
type transport struct {
	*memberlist.NetTransport
	ctx context.Context
}

// listen opens UDP and TCP on the same port. With port 0 the system chooses for
// one of them and the other may be taken: then it chooses again.
func listen(ctx context.Context, ip string, port int, w logWriter) (*transport, error) {
	var errs []error
	for range 10 {
		t, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{ip}, BindPort: port, Logger: log.New(w, "", 0),
		})
		if err == nil {
			return &transport{t, ctx}, nil
		}
		errs = append(errs, err)
		if port != 0 || !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: min(timeout, dialTimeout)}
	return d.DialContext(t.ctx, "tcp", addr)
}

func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(a.Addr, timeout)
}
