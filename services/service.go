package services

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Config wires a Service.
type Config struct {
	Store Store
	Keys  *secret.Keys // seal the secrets of hooks
	Rules AddressRules // where instances and their hooks may be
	// Reserved are the gateway's own, of which no instance can be.
	Reserved Reserved
	Now      func() time.Time
}

// Reserved are hosts and beginnings of paths.
type Reserved struct {
	Hosts    []string // lower case, without a port
	Prefixes []string
}

// Service manages service definitions, instances and what organizations make of
// them. That the caller has the right which a route asks for has been checked; what
// depends on the thing itself is checked here.
type Service struct {
	store    Store
	keys     *secret.Keys
	rules    AddressRules
	reserved Reserved
	now      func() time.Time
}

// New makes a Service.
func New(c Config) *Service {
	return &Service{store: c.Store, keys: c.Keys, rules: c.Rules, reserved: c.Reserved, now: c.Now}
}

// Rules say where instances and their hooks may be.
func (s *Service) Rules() AddressRules { return s.rules }

// clock is the current time in the precision that every database keeps.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// change runs f in a transaction in which the caller still stands. A caller that is
// zero is the gateway itself.
func (s *Service) change(ctx context.Context, by tenants.Caller, now time.Time, f func(Tx) error) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		if by.Principal.ID != "" {
			if err := tenants.Stands(tx, by.Principal, now); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// entry is the journal's line about something that the caller did, or that the
// gateway itself did when nobody asked.
func entry(by tenants.Caller, at time.Time, org tenants.OrgID, action journal.Action, subject journal.Subject, detail map[string]string) journal.Entry {
	actor := by.Actor()
	if by.Principal.ID == "" {
		actor = journal.System
	}
	return journal.Entry{
		At: at, Org: string(org), Actor: actor, Action: action, Subject: subject,
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
