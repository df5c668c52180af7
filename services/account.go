package services

import (
	"time"

	"causeway/tenants"
)

// InstanceAccount is a service account inside of an instance: one for each app that
// holds a role there, and those that were made by hand (CSP-18…21).
type InstanceAccount struct {
	Org       tenants.OrgID
	ID        string // UUID: a name can be used again when its account has ended
	Instance  InstanceID
	App       Holder // zero for one made by hand
	Name      string // of the app; sa::name of one made by hand
	CreatedAt time.Time
	EndedAt   time.Time // zero while it lives
	Hook      Hook
}

// HookState says how far an instance has been told of the last change of an account.
type HookState string

// The states of a hook. One that failed is tried again when somebody asks for it.
const (
	HookNone        HookState = "none" // the instance has no hook
	HookPending     HookState = "pending"
	HookProvisioned HookState = "provisioned"
	HookFailed      HookState = "failed"
)

// Hook is the delivery of the last change: at least once, each attempt with the same
// key.
type Hook struct {
	State    HookState
	Key      string // idempotency key of this change
	Attempts int
	Next     time.Time // when a pending one is tried
	Error    string    // of the last attempt; never what the instance answered
}
