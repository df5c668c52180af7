package contact

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/pause"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// maxGap is how long a feed may be silent before everything that its site said
	// counts no more (I10): a question that is held open is answered sooner.
	maxGap = time.Minute
	// A feed that fails is asked again after a second, then less often.
	retryFirst = time.Second
	retryLast  = 10 * time.Second
	// So many answers are taken at once, and so often for long.
	answersEvery = 200 * time.Millisecond
	answersBurst = 16
	// A site that answers at once that nothing has ended, instead of holding the
	// question, is asked again after restFirst, then less often.
	restFirst = 200 * time.Millisecond
	restLast  = 2 * time.Second
	// What ends a key, or everything, has all keys of the site fetched again: so many
	// such answers at once, so often for long.
	keysEvery = 5 * time.Second
	keysBurst = 10
)

// pace is how fast the answers of one feed are taken.
type pace struct {
	rest          time.Duration
	answers, keys *rate.Limiter
}

func newPace() *pace {
	return &pace{answers: rate.NewLimiter(rate.Every(answersEvery), answersBurst), keys: rate.NewLimiter(rate.Every(keysEvery), keysBurst)}
}

// after rests from an answer that took so long. What it said is forgotten already:
// only the site's own news wait. It is false when ctx has ended.
func (p *pace) after(ctx context.Context, e Ended, took time.Duration) bool {
	if endsKeys(e) && p.keys.Wait(ctx) != nil {
		return false
	}
	if len(e.List) > 0 || took >= restLast {
		p.rest = 0
		return p.answers.Wait(ctx) == nil
	}
	p.rest = min(max(2*p.rest, restFirst), restLast)
	return pause.For(ctx, p.rest)
}

func endsKeys(e Ended) bool {
	return e.Reset || slices.ContainsFunc(e.List, func(i EndedItem) bool { return i.Kind == journal.KindKey })
}

// followAll follows the feeds of the sites whose tokens are accepted here, in
// every cell: each remembers answers of its own.
func (s *Service) followAll(ctx context.Context) {
	if s.Forget == nil {
		return
	}
	ends := map[tenants.SiteID]func(){}
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	for {
		if err := s.followDirect(ctx, ends); err != nil && ctx.Err() == nil {
			s.Log.Warn("could not read whose revocations to follow", "error", err)
			time.AfterFunc(retryFirst, func() { signal(s.direct) })
		}
		select {
		case <-ctx.Done():
			return
		case <-s.direct:
			if !pause.For(ctx, breather) { // changes come in numbers
				return
			}
		}
	}
}

func (s *Service) followDirect(ctx context.Context, ends map[tenants.SiteID]func()) error {
	follow := map[tenants.SiteID]bool{}
	if err := s.Store.View(ctx, func(r federation.Reader) error {
		sites, err := r.DirectSites()
		self := s.Self().ID
		for _, site := range sites {
			follow[site] = site != self
		}
		return err
	}); err != nil {
		return err
	}
	for site, end := range ends {
		if !follow[site] {
			end()
			delete(ends, site)
		}
	}
	for site, yes := range follow {
		if yes && ends[site] == nil {
			ends[site] = s.startFollowing(ctx, site)
		}
	}
	return nil
}

func (s *Service) startFollowing(ctx context.Context, site tenants.SiteID) (end func()) {
	own, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.follow(own, site)
	}()
	return func() {
		cancel()
		<-done
		s.flush(site)
		s.feed(site, func(f *Feed) { f.Following = false })
	}
}

// follow tells the forgetter what ends at a site. Before anything is remembered
// across a gap, everything is forgotten.
func (s *Service) follow(ctx context.Context, site tenants.SiteID) {
	s.feed(site, func(f *Feed) { f.Following = true })
	cursor, heard, retry, pace := int64(-1), time.Now(), retryFirst, newPace()
	for ctx.Err() == nil {
		asked := time.Now()
		e, err := s.askRevoked(ctx, site, cursor)
		if ctx.Err() != nil {
			return
		}
		gap := time.Since(heard) > maxGap
		if err != nil {
			if gap {
				s.flush(site)
				cursor = -1
			}
			if !pause.For(ctx, retry) {
				return
			}
			retry = min(2*retry, retryLast)
			continue
		}
		if cursor < 0 || gap || e.Reset || e.Seq < cursor {
			s.flush(site)
		}
		for _, item := range e.List {
			s.Forget.Forget(site, federation.Revocation(item))
		}
		cursor, heard, retry = e.Seq, time.Now(), retryFirst
		s.feed(site, func(f *Feed) { f.Heard = s.now() })
		if e.Reset && !pause.For(ctx, breather) { // a site that only ever says so must not keep us busy
			return
		}
		if !pace.after(ctx, e, time.Since(asked)) {
			return
		}
	}
}

func (s *Service) flush(site tenants.SiteID) {
	s.Forget.Flush(site)
	s.feed(site, func(f *Feed) { f.Flushes++ })
}

func (s *Service) feed(site tenants.SiteID, change func(*Feed)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.peer(site).Feed)
}

// askRevoked asks what ended since, and holds on where nothing has.
func (s *Service) askRevoked(ctx context.Context, site tenants.SiteID, since int64) (Ended, error) {
	a, err := s.Peers.Association(ctx, site)
	if err != nil {
		return Ended{}, err
	}
	if a.Status == federation.Asymmetric {
		return Ended{}, problem.New(problem.Forbidden, "The association is incomplete.")
	}
	wait := s.Wait
	if since < 0 {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, wait+askTimeout)
	defer cancel()
	v := url.Values{"since": {strconv.FormatInt(since, 10)}, "wait": {strconv.Itoa(int(wait.Seconds()))}}
	body, err := s.ask(ctx, a, http.MethodGet, RevocationsPath, v, nil)
	if err != nil {
		return Ended{}, err
	}
	return ParseEnded(body)
}

// ParseFeedQuery reads where a site stands in the feed, -1 if nowhere, and how
// long it wants to wait.
func ParseFeedQuery(v url.Values) (since int64, wait time.Duration, err error) {
	if since = -1; v.Get("since") != "-1" && v.Get("since") != "" {
		if since, err = number(v, "since"); err != nil {
			return 0, 0, err
		}
	}
	seconds, err := number(v, "wait")
	return since, time.Duration(min(seconds, 60)) * time.Second, err
}
