package rig

import (
	"time"

	"causeway/federation/memnet"
)

// Script is a parsed script.
type Script struct {
	Seed   uint64
	Sites  []SitePlan
	Gossip string // "wan", "lan" or "off"
	// Setup is what was done before the sites start: associations and links.
	Setup []Step
	Steps []Step // in the order of time, and for one time of the script
	End   time.Duration
}

// SitePlan is a site of a script.
type SitePlan struct {
	Name  string
	Cells int
}

// Verb is what a step does.
type Verb string

const (
	Associate Verb = "associate"
	Remove    Verb = "remove"
	SetLink   Verb = "link"
	Cut       Verb = "cut"
	Heal      Verb = "heal"
	Reset     Verb = "reset"
	Skew      Verb = "skew"
	Crash     Verb = "crash"
	Stop      Verb = "stop"
	Start     Verb = "start"
	Break     Verb = "break"
	Mend      Verb = "mend"
	Revoke    Verb = "revoke"
	Login     Verb = "login"
	Disable   Verb = "disable"
	Enable    Verb = "enable"
	Every     Verb = "every"
	Expect    Verb = "expect"
)

// Step is one thing that happens, or is expected.
type Step struct {
	Line int
	At   time.Duration
	Verb Verb
	A, B string // sites; B may be empty
	// OneWay is for a link from A to B only.
	OneWay    bool
	Cell      int // 1 is the first; 0 is all
	SitesOnly bool
	Link      memnet.Link
	Skew      time.Duration
	Every     time.Duration // between requests
	Until     time.Duration // 0 is the end
	Expect    Expectation
}

// Look is what an expectation looks at.
type Look string

const (
	LookRequest Look = "request"
	LookStatus  Look = "status"
	LookOrg     Look = "org"
	LookMembers Look = "members"
	LookReady   Look = "ready"
)

// refused is the value of every answer that is a refusal.
const refused = "refused"

// met reports whether what was seen is what is expected.
func (e Expectation) met(seen string) bool {
	if e.Look == LookRequest && e.Value == refused {
		return len(seen) == 3 && (seen[0] == '4' || seen[0] == '5')
	}
	return seen == e.Value
}

// Expectation is a value that must be seen, or stay.
type Expectation struct {
	Look  Look
	Value string
	For   bool // it must stay; else be seen once
	Time  time.Duration
}
