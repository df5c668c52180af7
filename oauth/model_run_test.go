package oauth_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/oauth"
)

// Two lives: one of tokens, with now and then a new grant, and one of requests.
var (
	lifeOfTokens   = weights{refresh: 60, ask: 1, poll: 3, grant: 2, revoke: 1, remove: 1, disable: 1, enable: 3}
	lifeOfRequests = weights{refresh: 3, ask: 12, poll: 20, grant: 7, deny: 3, lookUp: 3, revoke: 1, remove: 1, disable: 1, enable: 3}
)

var policies = []func(*oauth.Policy){
	func(*oauth.Policy) {},
	func(*oauth.Policy) {},
	func(p *oauth.Policy) { p.RetryWindow = 0 },
	func(p *oauth.Policy) { p.RetryWindow = 10 * time.Second },
	func(p *oauth.Policy) { p.GraceWindow = 0 },
	func(p *oauth.Policy) { p.GraceWindow, p.MaxRetries = 0, 2 },
	func(p *oauth.Policy) { p.MaxAge = 2 * day },
	func(p *oauth.Policy) { p.DeviceLifetime, p.DevicesPerOwner = 10*minute, 3 },
}

// Whatever happens in whatever order, at once, cut short or unanswered: what the
// API says and the database holds is what the model says. See [life].
func TestSoakModel_R2_R3_R4_VCD18_VCD19_VCD65_VCD66_VCD71_VCD78_VCD83_VCD94(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for _, tt := range []struct {
			name string
			weights
		}{{"tokens", lifeOfTokens}, {"requests", lifeOfRequests}} {
			t.Run(tt.name, func(t *testing.T) {
				first, refreshes := seed(t), 0
				trials := rounds(2, 250)
				for n := range trials {
					refreshes += oneTrial(t, db, r.in(t), first+uint64(n), tt.weights)
				}
				t.Logf("%d histories, %d refreshes", trials, refreshes)
			})
		}
	})
}

// seed is CAUSEWAY_SEED, to play a history again, or another one each time that
// somebody explores; otherwise always the same.
func seed(t *testing.T) uint64 {
	if text := os.Getenv("CAUSEWAY_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if os.Getenv("CAUSEWAY_SOAK") == "" {
		return 1
	}
	return rand.Uint64()
}

func oneTrial(t *testing.T, db *store.DB, r rows, seed uint64, w weights) int {
	random := rand.New(rand.NewPCG(seed, 0))
	policy := policies[random.IntN(len(policies))]
	h := history(random, w, 40)
	play := func(h []batch) (int, error) {
		tr := newTrial(t, db, r, policy)
		tr.keepAlive = w[refresh] > w[poll]
		err := tr.play(h)
		return tr.refreshes, err
	}
	n, err := play(h)
	if err == nil {
		return n
	}
	t.Logf("CAUSEWAY_SEED=%d: %v", seed, err)
	shorter, why := shrink(h, err, func(h []batch) error { _, err := play(h); return err })
	text := ""
	for i, b := range shorter {
		text += fmt.Sprintf("%d: %+v\n", i, b)
	}
	t.Fatalf("CAUSEWAY_SEED=%d, made shorter:\n%s%v", seed, text, why)
	return 0
}

// shrink leaves out of a history what it fails without. What depends on who comes
// first may be kept although it is not needed.
func shrink(h []batch, why error, play func([]batch) error) ([]batch, error) {
	tries := 60
	for n := len(h) / 2; n > 0; n /= 2 {
		for at := 0; at+n <= len(h) && tries > 0; tries-- {
			without := append(append([]batch{}, h[:at]...), h[at+n:]...)
			if err := play(without); err != nil {
				h, why = without, err
				continue
			}
			at += n
		}
	}
	return h, why
}
