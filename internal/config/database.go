package config

import (
	"net/url"
	"strings"

	"causeway/internal/secret"
)

// SQLite is the file of a sqlite:// URL; ok is false for any other database.
func (d Database) SQLite() (path string, ok bool) {
	u, err := url.Parse(d.URL.Reveal())
	if err != nil || u.Scheme != "sqlite" {
		return "", false
	}
	return u.Path, true
}

// checkDatabase says nothing of what the URL is, only of what it is not: it may
// hold a password.
func checkDatabase(c *Config, say report) {
	checkURL("database.url", c.Database.URL.Reveal(), say)
	watermark := c.Database.Watermark.Reveal()
	checkURL("database.watermark", watermark, say)
	if watermark != "" && watermark == c.Database.URL.Reveal() {
		say("database.watermark", "must be elsewhere: what is lost with the database proves nothing")
	}
}

func checkURL(key, raw string, say report) {
	switch {
	case raw == "": // of the one that is required it is said so
	case strings.HasPrefix(raw, "sqlite:"):
		u, err := url.Parse(raw)
		if err != nil || u.Opaque != "" || u.Host != "" || u.User != nil || len(u.Path) < 2 || strings.HasSuffix(u.Path, "/") {
			say(key, "must be sqlite:// and the absolute path of a file: sqlite:///var/lib/causeway/west.db")
		} else if strings.ContainsAny(raw, "?#") {
			say(key, "must not have options behind the path; the server sets those that keep data safe")
		}
	case strings.HasPrefix(raw, "postgres://"), strings.HasPrefix(raw, "postgresql://"):
		u, err := url.Parse(raw)
		if err != nil || len(u.Path) < 2 {
			say(key, "must be postgres://user@host/name; characters like / and # in a password are written as %2F and %23")
		}
	default:
		say(key, "must start with sqlite:/// or postgres://")
	}
}

// holdsPassword tells whether a database URL may be shown to whoever can list
// processes. What cannot be parsed might hold anything.
func holdsPassword(database secret.Text) bool {
	u, err := url.Parse(database.Reveal())
	if err != nil {
		return true
	}
	_, inside := u.User.Password()
	return inside || u.Query().Has("password")
}

func checkPaths(c *Config, say report) {
	files := map[string]string{"public.certificate": c.Public.Certificate, "public.key": c.Public.Key, "keys.master_file": c.Keys.MasterFile, "audit.webhook_ca": c.Audit.WebhookCA}
	if c.Gossip != nil {
		files["gossip.key_file"] = c.Gossip.KeyFile
	}
	if c.Cells != nil {
		files["cells.key_file"] = c.Cells.KeyFile
	}
	if c.Tracing != nil {
		files["tracing.headers_file"], files["tracing.authority"] = c.Tracing.HeadersFile, c.Tracing.Authority
	}
	for key, path := range files {
		// The commonest mistake with …_file is to put the secret there.
		if strings.ContainsAny(path, "\r\n\x00") {
			say(key, "must be the path of a file, not what is in it")
		}
	}
}
