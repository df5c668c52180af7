package doctor

import (
	"context"
	"net"
	"net/http"

	"causeway/internal/config"
)

// listeners tells whether a cell runs here: then its ports answer, else they must be
// free.
func (e *examination) listeners(ctx context.Context, c *config.Config) (running bool) {
	ports := []struct{ setting, addr string }{{"public.listen", c.Public.Listen}, {"peer.listen", c.Peer.Listen}, {"operations.listen", c.Operations.Listen}}
	if c.Gossip != nil {
		ports = append(ports, struct{ setting, addr string }{"gossip.listen", c.Gossip.Listen})
	}
	if c.Cells != nil {
		ports = append(ports, struct{ setting, addr string }{"cells.listen", c.Cells.Listen})
	}
	running = alive(ctx, c)
	good := true
	for _, p := range ports {
		err := free(p.addr)
		if running {
			if p.setting == "gossip.listen" { // not every cell speaks
				continue
			}
			err = reach(ctx, local(p.addr))
		}
		switch {
		case err == nil:
		case running:
			good = false
			e.warn("ports", advice{"The configuration was changed since the cell began; listeners move with a restart only.", "Restart the cell."},
				"A cell runs here and does not listen at %s, %s: %v", p.setting, p.addr, err)
		default:
			good = false
			e.fail("ports", advice{"A cell cannot start while another program listens there.", "See who does, by ss -ltnup, and stop it, or change " + p.setting + "."},
				"No cell runs here, and %s, %s, is not free: %v", p.setting, p.addr, err)
		}
	}
	switch {
	case !good:
	case running:
		e.ok("ports", "A cell runs here and listens where it should.")
	default:
		e.ok("ports", "No cell runs here; the ports that it needs are free.")
	}
	return running
}

// alive asks the operations listener.
func alive(ctx context.Context, c *config.Config) bool {
	_, err := operations(ctx, c, "/livez")
	return err == nil
}

// operations gets text from the operations listener of the cell on this machine.
func operations(ctx context.Context, c *config.Config, path string) (string, error) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := get(ctx, client, "http://"+local(c.Operations.Listen)+path, nil)
	if err != nil {
		return "", err
	}
	return string(res.body), res.want(http.StatusOK)
}

// local is where a program on this machine reaches an address that is listened on.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return listen
}

func reach(ctx context.Context, addr string) error {
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// free listens for a moment.
func free(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return l.Close()
}
