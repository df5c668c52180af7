package relay

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// WebhookID identifies a webhook.
type WebhookID string

// Webhook is an HTTPS endpoint that is told of changes.
type Webhook struct {
	ID   WebhookID
	Name string
	URL  string // as it is, from the Service alone
	// Org is whose changes alone it is told of, as its members may know them; empty is
	// all, as the provider may.
	Org     tenants.OrgID
	Enabled bool
	// GiveUp is after how long a row that it does not take is put aside.
	GiveUp               time.Duration
	Address, Secret      []byte // sealed; the address is URL
	CreatedAt, UpdatedAt time.Time
	Progress
	Dead int64 // rows that were put aside
}

// Progress is how far a sink is.
type Progress struct {
	Seq       int64     // it has all rows up to this one, but for those that were put aside
	Delivered time.Time // when it last took one
	Failing   time.Time // since when it does not take the next; zero where it does
	Attempts  int       // with the next row
	Next      time.Time // it is tried again
	Error     string    // for people, and never what it answered
}

// Dead are rows in sequence that a sink did not take in time. Rows counts those that
// were meant for it.
type Dead struct {
	First, Last int64
	Rows        int64
	At          time.Time // the last of them was put aside
	Error       string
	Again       bool // about to be delivered again
}

// Draft is what a provider says of a webhook.
type Draft struct {
	Name    string
	URL     string
	Org     tenants.OrgID
	Enabled bool
	GiveUp  time.Duration // zero is a day
}

const (
	// mostWebhooks bounds what a cell does at once: each has a reader of its own.
	mostWebhooks = 32
	usualGiveUp  = 24 * time.Hour
	leastGiveUp  = time.Minute
	mostGiveUp   = 30 * 24 * time.Hour
)

func bad(in, format string, args ...any) error {
	return problem.New(problem.BadRequest, format, args...).In(in)
}

func (d *Draft) check(plainHTTP bool) error {
	if d.GiveUp == 0 {
		d.GiveUp = usualGiveUp
	}
	switch {
	case strings.TrimSpace(d.Name) == "" || len(d.Name) > 128 || !utf8.ValidString(d.Name) || strings.ContainsFunc(d.Name, control):
		return bad("name", "A webhook's name has 1 to 128 bytes of text.")
	case d.GiveUp < leastGiveUp || d.GiveUp > mostGiveUp:
		return bad("giveUpSeconds", "A row is put aside after %d to %d seconds.", int(leastGiveUp.Seconds()), int(mostGiveUp.Seconds()))
	}
	return checkURL(d.URL, plainHTTP)
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

func checkURL(text string, plainHTTP bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2048 || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return bad("url", "A webhook's address is https://host[:port]/path.")
	case u.Scheme != "https" && !(plainHTTP && u.Scheme == "http"):
		return bad("url", "A webhook's address begins with https.")
	case u.User != nil || u.Fragment != "":
		return bad("url", "A webhook's address holds no user and no fragment: calls are signed.")
	}
	return nil
}

func (w Webhook) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindWebhook, ID: string(w.ID), Name: w.Name}
}

// facts are for the journal. Of the address only the host: the rest may be a secret.
func (w Webhook) facts() map[string]string {
	u, _ := url.Parse(w.URL)
	facts := map[string]string{"host": u.Host, "giveUp": w.GiveUp.String()}
	if w.Org != "" {
		facts["organization"] = string(w.Org)
	}
	if !w.Enabled {
		facts["enabled"] = "false"
	}
	return facts
}
