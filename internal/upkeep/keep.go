package upkeep

import "time"

// Keep says how long what is over is kept.
type Keep struct {
	Devices       time.Duration // device requests, after they expired
	Sessions      time.Duration // after they ended, expired or were left
	Idle          time.Duration // after so long without use a session is left
	RevokedTokens time.Duration // families and their used tokens, after the revocation
	UsedTokens    time.Duration // of live families, after they were used
	Tasks         time.Duration // after they ended
	Accounts      time.Duration // inside of instances, after they ended
	Events        time.Duration // token events and refusals, after they were sealed
}

// Before are the times before which rows are old, at Now.
type Before struct {
	Now, Devices, SessionsOver, SessionsUsed, Revoked, Used, Failures, Tasks, Accounts, Events, Assertions time.Time
}

// longestLockout is beyond what any organization may have wrong passwords count
// or lock out for.
const longestLockout = 48 * time.Hour

// spentSlack is more than cells' clocks differ by.
const spentSlack = 5 * time.Minute

// Before is what k means at a time.
func (k Keep) Before(now time.Time) Before {
	now = now.UTC()
	return Before{
		Now: now, Devices: now.Add(-k.Devices),
		SessionsOver: now.Add(-k.Sessions), SessionsUsed: now.Add(-k.Sessions - k.Idle),
		Revoked: now.Add(-k.RevokedTokens), Used: now.Add(-k.UsedTokens),
		Failures: now.Add(-longestLockout), Tasks: now.Add(-k.Tasks), Accounts: now.Add(-k.Accounts),
		// By the day: each move of this border is an entry in the journal.
		Events: now.Add(-k.Events).Truncate(24 * time.Hour),
		// Each tells its end itself; a cell's clock may be a little behind.
		Assertions: now.Add(-spentSlack),
	}
}
