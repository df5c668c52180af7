package oauth

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// AccountsPage is where the portal shows an organization's service accounts, below
// its own address. Apps print it as their verification_uri (VCD-42).
const AccountsPage = "/administration/access-control/service-accounts"

// DeviceAuthorization answers a device request (RFC 8628 §3.2). The codes are
// shown here and kept nowhere.
type DeviceAuthorization struct {
	DeviceCode string
	UserCode   string
	ExpiresIn  time.Duration
	Interval   time.Duration
}

// AuthorizeDevice opens a device request for an account of org. Anyone may ask
// (VCD-24); an unknown account is problem.InvalidClient. When too many requests
// are open, the oldest unanswered one of the busiest source gives way, so that a
// stranger cannot keep the app's own request out.
func (s *Service) AuthorizeDevice(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, id ClientID) (DeviceAuthorization, error) {
	if err := s.knows(ctx, org, id); err != nil {
		return DeviceAuthorization{}, err
	}
	answer := DeviceAuthorization{
		DeviceCode: secret.URLSafe(32), UserCode: secret.UserCode(),
		ExpiresIn: s.policy.DeviceLifetime, Interval: s.policy.DeviceInterval,
	}
	now := s.clock()
	request := DeviceRequest{
		ID: tenants.NewID(), Org: org.ID, Account: id, State: DevicePending,
		DeviceCode: s.digest(digestDevice, answer.DeviceCode), UserCode: s.digest(digestUser, answer.UserCode),
		CreatedAt: now, ExpiresAt: now.Add(answer.ExpiresIn), Interval: answer.Interval,
		Source: by.Source, Address: by.Address, UserAgent: by.UserAgent,
	}
	err := s.store.InTx(ctx, func(tx Tx) error {
		err := tx.HoldOrganization(org.ID)
		if err == nil {
			err = tx.LockServiceAccount(org.ID, id)
		}
		if problem.Has(err, problem.NotFound) {
			return unknownClient()
		}
		if err != nil {
			return err
		}
		open, err := tx.OpenDevices(org.ID, id, now)
		if err != nil {
			return err
		}
		victim, err := s.makeRoom(open, by.Source)
		if err != nil {
			return err
		}
		if victim != "" {
			if _, err := tx.MoveDevice(org.ID, victim, DevicePending, DeviceDead, now); err != nil {
				return err
			}
		}
		if err := tx.CreateDevice(request); err != nil {
			return err
		}
		return tx.Note(Event{At: now, Org: org.ID, Account: id, Kind: "requested", Source: by.Source})
	})
	if err != nil {
		return DeviceAuthorization{}, err
	}
	return answer, nil
}

// knows refuses clients that cannot ask before they take part in a transaction. It
// costs the same whatever is missing, the client, the organization or its leave:
// time must not tell strangers which organizations there are.
func (s *Service) knows(ctx context.Context, org *tenants.Snapshot, id ClientID) error {
	var home tenants.OrgID
	err := s.store.View(ctx, func(r Reader) (err error) {
		home, err = r.AccountOrg(id)
		return err
	})
	if problem.Has(err, problem.NotFound) || (err == nil && (home != org.ID || !org.Enabled)) {
		return unknownClient()
	}
	return err
}

func unknownClient() error {
	return problem.New(problem.InvalidClient, "The client is not known to this organization.").With(problem.FactReason, problem.ReasonUnknown)
}

// makeRoom names the open request that must give way to a new one from source,
// if any. open is sorted oldest first.
func (s *Service) makeRoom(open []DeviceRequest, source string) (victim string, err error) {
	bySource := map[string]int{}
	for _, d := range open {
		bySource[d.Source]++
	}
	from := func(source string) string {
		for _, d := range open {
			if d.State == DevicePending && d.Source == source {
				return d.ID
			}
		}
		return ""
	}
	if bySource[source] >= s.policy.DevicesPerPeer {
		if id := from(source); id != "" {
			return id, nil
		}
	}
	if len(open) < s.policy.DevicesPerOwner {
		return "", nil
	}
	busiest, most := "", 0
	for _, d := range open { // in order, so that equals are decided by age
		if n := bySource[d.Source]; n > most && from(d.Source) != "" {
			busiest, most = d.Source, n
		}
	}
	if most == 0 {
		return "", problem.New(problem.TooManyRequests, "Too many granted requests of this client wait to be fetched.").After(s.policy.DeviceInterval)
	}
	return from(busiest), nil
}

// RedeemDevice answers a poll with a device code (RFC 8628 §3.4): the tokens,
// once, when an administrator has granted exactly this request, else the reason
// to wait or stop. A poll never loses the request.
func (s *Service) RedeemDevice(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, id ClientID, deviceCode string) (Tokens, error) {
	now := s.clock()
	code := s.digest(digestDevice, deviceCode)
	if err := s.worthWriting(ctx, org, id, code, now); err != nil {
		return Tokens{}, err
	}
	family := Family{ID: tenants.NewID(), Org: org.ID, Account: id, CreatedAt: now}
	refresh := secret.Base62(32)
	family.Current = s.digest(digestRefresh, refresh)
	session := s.newAccountSession(now, family, s.rotation(org).End(now))

	var refusal error // decided inside, but the poll it notes must be committed
	err := s.store.InTx(ctx, func(tx Tx) error {
		refusal = nil
		if err := tx.HoldOrganization(org.ID); err != nil {
			return err
		}
		d, err := lockRequest(tx, org.ID, id, code)
		if problem.Has(err, problem.NotFound) || (err == nil && d.Account != id) {
			return unknownCode()
		}
		if err != nil {
			return err
		}
		if refusal = judged(d, now); refusal != nil {
			return s.notePoll(tx, d, now, refusal)
		}
		account, err := s.redeem(tx, d, family, now)
		if err != nil {
			return err
		}
		quota, err := tenants.PinQuota(tx, org.ID, account.Quota)
		if err != nil {
			return err
		}
		session.of(account, quota)
		if err := tx.CreateSession(session); err != nil {
			return err
		}
		if err := tx.Note(Event{At: now, Org: org.ID, Account: id, Kind: "issued", Source: by.Source}); err != nil {
			return err
		}
		return tx.Record(entry(now, by, account, journal.AccountActivated, map[string]string{"deviceRequest": d.ID}))
	})
	if err == nil {
		err = refusal
	}
	if problem.Has(err, problem.NotFound) { // switched off since we looked
		err = unknownCode()
	}
	if err != nil {
		return Tokens{}, err
	}
	return s.issue(ctx, org, session, refresh)
}

func unknownCode() error {
	return problem.New(problem.InvalidGrant, "The device code is not valid for this client.").With(problem.FactReason, problem.ReasonUnknown)
}

// worthWriting refuses a poll that can change nothing before it takes part in a
// transaction: anybody can poll with codes that do not exist or are over. A poll
// that will be noted is counted first.
func (s *Service) worthWriting(ctx context.Context, org *tenants.Snapshot, id ClientID, code Digest, now time.Time) error {
	var d DeviceRequest
	err := s.store.View(ctx, func(r Reader) (err error) {
		d, err = r.DeviceByCode(org.ID, code)
		return err
	})
	// An organization that was switched off since the grant is as silent as others.
	if problem.Has(err, problem.NotFound) || (err == nil && (d.Account != id || !org.Enabled)) {
		return unknownCode()
	}
	if err != nil {
		return err
	}
	switch refusal := judged(d, now); {
	case refusal == nil:
		return nil
	case problem.Has(refusal, problem.AuthorizationPending), problem.Has(refusal, problem.SlowDown):
		return s.countPoll(d)
	default:
		return refusal
	}
}

// lockRequest finds a request and holds it. The account comes first, as for
// everybody who holds both: a revocation that meets a redemption then waits for
// it, and neither for a deadlock to be noticed.
func lockRequest(tx Tx, org tenants.OrgID, id ClientID, code Digest) (DeviceRequest, error) {
	if err := tx.LockServiceAccount(org, id); err != nil {
		return DeviceRequest{}, err
	}
	return tx.LockDevice(org, code)
}

// judge says why a request cannot be redeemed now; nil when it can. slow_down is
// judged from the previous poll alone and never after an answer, with a tenth of
// tolerance for clients whose clocks run fast.
func judge(d DeviceRequest, now time.Time) error {
	switch {
	case d.State == DeviceDenied:
		return problem.New(problem.AccessDenied, "The administrator denied the request.")
	case d.State == DeviceRedeemed || d.State == DeviceDead:
		return problem.New(problem.InvalidGrant, "The device code has been used or withdrawn.")
	case !now.Before(d.ExpiresAt):
		return problem.New(problem.ExpiredToken, "The device code has expired; start again.")
	case d.State == DeviceGranted:
		return nil
	case !d.LastPoll.IsZero() && now.Sub(d.LastPoll) < d.Interval*9/10:
		return problem.New(problem.SlowDown, "Polled before the interval was over; it is now five seconds longer.")
	default:
		return problem.New(problem.AuthorizationPending, "Device authorization request pending")
	}
}

func (s *Service) notePoll(tx Tx, d DeviceRequest, now time.Time, refusal error) error {
	interval := d.Interval
	if problem.Has(refusal, problem.SlowDown) {
		interval += 5 * time.Second // RFC 8628 §3.5
	}
	return tx.SetPolled(d.Org, d.ID, now, interval)
}

// redeem spends a granted request: its account gets a new family, and whatever
// the account held or asked for before ends.
func (s *Service) redeem(tx Tx, d DeviceRequest, family Family, now time.Time) (ServiceAccount, error) {
	moved, err := tx.MoveDevice(d.Org, d.ID, DeviceGranted, DeviceRedeemed, now)
	if err != nil {
		return ServiceAccount{}, err
	}
	if !moved {
		return ServiceAccount{}, problem.New(problem.InvalidGrant, "The device code has been used or withdrawn.")
	}
	for _, end := range []func() error{
		func() error { return tx.CloseDevices(d.Org, d.Account, d.ID) },
		func() error { return tx.RevokeFamilies(d.Org, d.Account, now) },
		func() error { return tx.EndSessionsOf(d.Org, tenants.KindServiceAccount, string(d.Account), now) },
		func() error { return tx.CreateFamily(family) },
	} {
		if err := end(); err != nil {
			return ServiceAccount{}, err
		}
	}
	return tx.ServiceAccount(d.Org, d.Account, now)
}
