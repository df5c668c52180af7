package config

import (
	"net"
	"net/url"
)

// Config is everything that can be set.
type Config struct {
	Site       Site       `yaml:"site"`
	Public     Public     `yaml:"public"`
	Peer       Peer       `yaml:"peer"`
	Gossip     *Gossip    `yaml:"gossip"`
	Cells      *Cells     `yaml:"cells"`
	Federation Federation `yaml:"federation"`
	Operations Operations `yaml:"operations"`
	Database   Database   `yaml:"database"`
	Journal    Journal    `yaml:"journal"`
	Keys       Keys       `yaml:"keys"`
	Sessions   Sessions   `yaml:"sessions"`
	CSP        CSP        `yaml:"csp"`
	Device     Device     `yaml:"device"`
	Rotation   Rotation   `yaml:"rotation"`
	Retention  Retention  `yaml:"retention"`
	Passwords  Passwords  `yaml:"passwords"`
	Limits     Limits     `yaml:"limits"`
	Services   []Service  `yaml:"services"`
	Audit      Audit      `yaml:"audit"`
	Log        Log        `yaml:"log"`
	Tracing    *Tracing   `yaml:"tracing"`
}

// Defaults is the configuration when nobody sets anything. It is not valid: the
// required settings have no default.
func Defaults() *Config {
	c := &Config{}
	setDefaults(c)
	return c
}

// PeerAddress is where other sites reach this one: peer.advertise, or else the
// public host on the port of the peer listener.
func (c *Config) PeerAddress() string {
	if c.Peer.Advertise != "" {
		return c.Peer.Advertise
	}
	u, err := url.Parse(c.Public.URL)
	if err != nil {
		return ""
	}
	_, port, err := net.SplitHostPort(c.Peer.Listen)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(u.Hostname(), port)
}
