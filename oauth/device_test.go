package oauth_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

type decision string

const (
	undecided decision = "nobody has answered"
	granted   decision = "granted"
	denied    decision = "denied"
)

// device is an app's run of the device grant.
type device struct {
	*world
	oauth.DeviceAuthorization
	account oauth.ServiceAccount
}

func (w *world) startDevice(a oauth.ServiceAccount) *device { return w.startDeviceFrom(here, a) }

func (w *world) startDeviceFrom(source string, a oauth.ServiceAccount) *device {
	w.t.Helper()
	auth, err := w.service.AuthorizeDevice(w.ctx(), from(source), w.snapshot(), a.ID)
	w.must(err)
	return &device{w, auth, a}
}

func (d *device) decide(how decision) {
	d.t.Helper()
	switch how {
	case granted:
		d.must(d.service.Grant(d.ctx(), d.admin, d.snapshot(), d.UserCode))
	case denied:
		d.must(d.service.Deny(d.ctx(), d.admin, d.snapshot(), d.UserCode))
	}
}

// poll waits before each poll; the last answer counts.
func (d *device) poll(waits ...time.Duration) (tokens oauth.Tokens, err error) {
	for _, wait := range waits {
		d.clock.add(wait)
		tokens, err = d.service.RedeemDevice(d.ctx(), from(here), d.snapshot(), d.account.ID, d.DeviceCode)
	}
	return tokens, err
}

func polls(seconds ...float64) (waits []time.Duration) {
	for _, s := range seconds {
		waits = append(waits, time.Duration(s*float64(time.Second)))
	}
	return waits
}

func everyMinute(n int) (waits []time.Duration) {
	for range n {
		waits = append(waits, time.Minute)
	}
	return waits
}

func TestDeviceGrant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, tt := range []struct {
			name   string
			before []time.Duration // polls before the decision
			decide decision
			after  []time.Duration // and after it; the last answer counts
			want   problem.Code    // empty: tokens
			status oauth.Status
		}{
			{"VCD-16 pending", nil, undecided, polls(60), problem.AuthorizationPending, oauth.Requested},
			{"VCD-71 a first poll is never too soon", nil, undecided, polls(0), problem.AuthorizationPending, oauth.Requested},
			{"VCD-71 polled at the interval", nil, undecided, polls(60, 60, 60), problem.AuthorizationPending, oauth.Requested},
			{"VCD-71 polled again too soon", nil, undecided, polls(60, 5), problem.SlowDown, oauth.Requested},
			{"VCD-71 a tenth too soon is tolerated", nil, undecided, polls(60, 54), problem.AuthorizationPending, oauth.Requested},
			{"VCD-71 more than a tenth is not", nil, undecided, polls(60, 53.999), problem.SlowDown, oauth.Requested},
			{"VCD-71 the interval is five seconds longer then", nil, undecided, polls(60, 5, 58.499), problem.SlowDown, oauth.Requested},
			{"VCD-71 and not more", nil, undecided, polls(60, 5, 58.5), problem.AuthorizationPending, oauth.Requested},
			{"VCD-71 each time", nil, undecided, polls(60, 5, 5, 62.999), problem.SlowDown, oauth.Requested},
			{"VCD-71 and not more each time", nil, undecided, polls(60, 5, 5, 63), problem.AuthorizationPending, oauth.Requested},
			{"VCD-71 and stays so", nil, undecided, polls(60, 5, 65, 58.499), problem.SlowDown, oauth.Requested},
			{"VCD-71 judged from the previous poll, however early that was", nil, undecided, polls(60, 30, 30), problem.SlowDown, oauth.Requested},
			{"VCD-71 a poll too soon loses nothing", polls(60, 1, 1, 1), granted, polls(600), "", oauth.Active},
			{"VCD-71 never too soon after the grant", polls(60), granted, polls(1), "", oauth.Active},
			{"VCD-71 not even after slow_down", polls(60, 1, 1), granted, polls(0), "", oauth.Active},
			{"VCD-72 the code stays good for all polls", everyMinute(59), undecided, polls(59), problem.AuthorizationPending, oauth.Requested},
			{"VCD-72 and is granted after them", everyMinute(59), granted, polls(59), "", oauth.Active},
			{"VCD-87 granted and fetched", nil, granted, polls(60), "", oauth.Active},
			{"VCD-28 granted, not fetched", nil, granted, nil, "", oauth.Granted},
			{"VCD-15 fetched again", nil, granted, polls(60, 60), problem.InvalidGrant, oauth.Active},
			{"VCD-15 fetched again at once", nil, granted, polls(60, 0), problem.InvalidGrant, oauth.Active},
			{"VCD-15 fetched again after its time", nil, granted, polls(60, 3600), problem.InvalidGrant, oauth.Active},
			{"VCD-82 denied", polls(60), denied, polls(60), problem.AccessDenied, oauth.Created},
			{"VCD-82 denied, polled at once", polls(60), denied, polls(1), problem.AccessDenied, oauth.Created},
			{"VCD-65 nobody answered in time", nil, undecided, polls(3600), problem.ExpiredToken, oauth.Created},
			{"VCD-65 not one moment before", nil, undecided, polls(3599.999), problem.AuthorizationPending, oauth.Requested},
			{"VCD-66 granted, fetched too late", nil, granted, polls(3600), problem.ExpiredToken, oauth.Created},
			{"VCD-66 granted, fetched at the last moment", nil, granted, polls(3599.999), "", oauth.Active},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				d := w.startDevice(w.newAccount())
				_, _ = d.poll(tt.before...)
				d.decide(tt.decide)
				tokens, err := d.poll(tt.after...)
				wantProblem(t, err, tt.want)
				if has := tokens.RefreshToken != "" && tokens.AccessToken != ""; has != (tt.want == "" && tt.after != nil) {
					t.Errorf("tokens came: %v", has)
				}
				d.wantStatus(d.account, tt.status)
			})
		}
	})
}

// TestDeviceGrant_R2_SlowDownIsSharedByCells: the previous poll may have gone to
// another cell.
func TestDeviceGrant_R2_SlowDownIsSharedByCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d := w.startDevice(w.newAccount())
		_, err := d.poll(time.Minute)
		wantProblem(t, err, problem.AuthorizationPending)
		d.service = w.newService(db.OAuth())
		_, err = d.poll(5 * time.Second)
		wantProblem(t, err, problem.SlowDown)
	})
}

// TestDeviceGrant_R2_SlowDownIsOfOneRequest: polls of one request do not slow
// down another.
func TestDeviceGrant_R2_SlowDownIsOfOneRequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		one, two := w.startDevice(a), w.startDevice(a)
		_, err := one.poll(polls(60, 1, 1)...)
		wantProblem(t, err, problem.SlowDown)
		_, err = two.poll(0)
		wantProblem(t, err, problem.AuthorizationPending)
		_, err = two.poll(time.Minute)
		wantProblem(t, err, problem.AuthorizationPending)
	})
}

// Anybody can poll with codes that are none or are over; none of that is worth a
// write, nor a poll of the client's that it names.
func TestDevicePoll_R2_R13_OnlyOpenRequestsCost(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for _, tt := range []struct {
			name    string
			prepare func(*device)
			code    func(*device) string
			counted int
		}{
			{"pending", func(*device) {}, nil, 1},
			{"pending, polled too soon", func(d *device) { _, _ = d.poll(time.Minute, time.Second) }, nil, 1},
			{"granted", func(d *device) { d.decide(granted) }, nil, 0},
			{"no such code", func(*device) {}, func(*device) string { return "invented" }, 0},
			{"another account's", func(*device) {}, func(d *device) string { return d.startDevice(d.newAccount()).DeviceCode }, 0},
			{"denied", func(d *device) { d.decide(denied) }, nil, 0},
			{"fetched", func(d *device) { d.decide(granted); _, _ = d.poll(0) }, nil, 0},
			{"expired", func(d *device) { d.clock.add(d.ExpiresIn) }, nil, 0},
			{"pushed out", func(d *device) { d.ask(d.account, here, here) }, nil, 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				d := w.startDevice(w.newAccount())
				tt.prepare(d)
				code := d.DeviceCode
				if tt.code != nil {
					code = tt.code(d)
				}
				counted, refusal := 0, problem.New(problem.TooManyRequests, "Too many polls.")
				service := w.newServiceWith(func(c *oauth.Config) {
					c.CountPoll = func(polled oauth.DeviceRequest) error {
						if counted++; polled.ID == "" || polled.Account != d.account.ID {
							t.Errorf("a poll of %+v was counted", polled)
						}
						return refusal
					}
				})
				before := r.in(t).all()
				_, err := service.RedeemDevice(w.ctx(), from(there), w.snapshot(), d.account.ID, code)
				if counted != tt.counted || problem.Has(err, problem.TooManyRequests) != (tt.counted > 0) {
					t.Errorf("counted %d times, and ended with %v", counted, err)
				}
				if after := r.in(t).all(); after != before && err != nil {
					t.Errorf("a refused poll wrote: %s\nbefore:\n%s", after, before)
				}
			})
		}
	})
}

func TestDeviceStatus_VCD26_VCD27_VCD28_VCD29_VCD68(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		w.wantStatus(a, oauth.Created)
		one := w.startDevice(a)
		w.wantStatus(a, oauth.Requested)
		two := w.startDevice(a)
		one.decide(denied)
		w.wantStatus(a, oauth.Requested) // the second is open
		two.decide(granted)
		w.wantStatus(a, oauth.Granted)
		w.startDevice(a)
		w.wantStatus(a, oauth.Granted)
		_, err := two.poll(0)
		w.must(err)
		w.wantStatus(a, oauth.Active)
		w.startDevice(a)
		w.wantStatus(a, oauth.Active) // asking anew takes nothing away
	})
}

func TestDeviceStatus_VCD27_StaysWhileAnyIsOpen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		w.startDevice(a)
		w.clock.add(30 * time.Minute)
		w.startDevice(a)
		w.clock.add(30 * time.Minute) // the first is over
		w.wantStatus(a, oauth.Requested)
		w.clock.add(30 * time.Minute)
		w.wantStatus(a, oauth.Created)
	})
}

// TestDeviceGrant_VCD65_VCD66: when the time is over, granted or not, the app
// starts again, and only what it starts then counts.
func TestDeviceGrant_VCD65_VCD66_StartAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, how := range []decision{undecided, granted} {
			t.Run(string(how), func(t *testing.T) {
				w := newWorld(t, db)
				old := w.startDevice(w.newAccount())
				old.decide(how)
				w.clock.add(old.ExpiresIn)
				w.wantStatus(old.account, oauth.Created)
				fresh := w.startDevice(old.account)
				w.wantStatus(old.account, oauth.Requested)
				fresh.decide(granted)
				_, err := old.poll(0)
				wantProblem(t, err, problem.ExpiredToken)
				_, err = fresh.poll(0)
				wantProblem(t, err, "")
				w.wantStatus(old.account, oauth.Active)
			})
		}
	})
}

func TestAuthorizeDevice_VCD24_NeedsNoCredential(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		other := w.neighbour()
		foreign, deleted := other.newAccount(), w.newAccount()
		w.must(w.service.Delete(w.ctx(), w.admin, w.org, deleted.ID))
		w.startDevice(w.newAccount())

		var answers []string
		for _, id := range []oauth.ClientID{oauth.ClientID(tenants.NewID()), foreign.ID, deleted.ID, ""} {
			_, err := w.service.AuthorizeDevice(w.ctx(), from(here), w.snapshot(), id)
			wantProblem(t, err, problem.InvalidClient)
			answers = append(answers, problem.From(err).Detail)
		}
		for _, a := range answers {
			if a != answers[0] {
				t.Errorf("what is absent, foreign and deleted can be told apart: %q", answers)
			}
		}
		other.wantStatus(foreign, oauth.Created)
	})
}

var (
	deviceCode = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	userCode   = regexp.MustCompile(`^[A-Z0-9]{4}-[A-Z0-9]{4}$`)
)

func TestDeviceCodes_VCD69_VCD70(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	w := newWorld(t, db)
	a := w.newAccount()
	seen := map[string]bool{}
	var ones, zeros [32]byte
	const n = 64 // a bit that is random is the same in all with a chance of 2^-63
	for range n {
		d := w.startDevice(a)
		if !deviceCode.MatchString(d.DeviceCode) || !userCode.MatchString(d.UserCode) {
			t.Fatalf("device code %q, user code %q", d.DeviceCode, d.UserCode)
		}
		if strings.ContainsAny(d.UserCode, "01AEIOUZ") {
			t.Errorf("the user code %q is easily misread, or may spell a word", d.UserCode)
		}
		if seen[d.DeviceCode] || seen[d.UserCode] {
			t.Errorf("%q or %q was given out twice", d.DeviceCode, d.UserCode)
		}
		seen[d.DeviceCode], seen[d.UserCode] = true, true
		raw, err := base64.RawURLEncoding.DecodeString(d.DeviceCode)
		w.must(err)
		for i, b := range raw {
			ones[i] |= b
			zeros[i] |= ^b
		}
		if d.ExpiresIn != time.Hour || d.Interval != time.Minute {
			t.Errorf("expires in %v, interval %v", d.ExpiresIn, d.Interval)
		}
	}
	for i := range ones {
		if ones[i] != 0xff || zeros[i] != 0xff {
			t.Errorf("byte %d of the device code has fixed bits: it holds less than 256 random bits", i)
		}
	}
}

// TestDeviceCodes_VCD77: what the answer promises is what happens, whatever the
// operator configured.
func TestDeviceCodes_VCD77(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, func(p *oauth.Policy) { p.DeviceLifetime, p.DeviceInterval = 7*time.Minute, 10*time.Second })
		d := w.startDevice(w.newAccount())
		if d.ExpiresIn != 7*time.Minute || d.Interval != 10*time.Second {
			t.Errorf("expires in %v, interval %v", d.ExpiresIn, d.Interval)
		}
		_, err := d.poll(d.ExpiresIn-time.Second, time.Second-time.Microsecond)
		wantProblem(t, err, problem.SlowDown) // alive still
		_, err = d.poll(time.Microsecond)
		wantProblem(t, err, problem.ExpiredToken)
	})
}
