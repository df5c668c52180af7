package contact

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/federation"
	"causeway/internal/pause"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// maxPages bounds how much of a directory is read: far more than a site can be
	// associated with.
	maxPages = 400
	// A page that came too soon is asked for again, after what the site says and at
	// least slower; so often in one reading.
	slower    = time.Second
	slowest   = 5 * time.Second
	maxSlower = 12
	// wholeTimeout bounds the reading of all of it.
	wholeTimeout = time.Minute
)

// read learns from a site's directory what is new: the pairs that were touched
// here, everything once, then what changed since. What somebody here waits for
// comes first and by itself: it must not depend on whether all that others hold
// can be read.
func (t *talker) read(ctx context.Context, a federation.SiteAssociation, h Heartbeat) error {
	whole, pairs := t.due(h)
	touched := t.readPairs(ctx, a, pairs)
	if touched != nil {
		t.again(false, pairs)
	}
	whole, err := t.readNews(ctx, a, h, whole)
	if err != nil {
		t.again(whole, nil)
	}
	return errors.Join(touched, err)
}

// readNews reads what changed, or everything; it reports which of them.
func (t *talker) readNews(ctx context.Context, a federation.SiteAssociation, h Heartbeat, whole bool) (_ bool, err error) {
	if !whole && !t.later && h.Head > t.dirSeq {
		if whole, err = t.readChanges(ctx, a); err != nil {
			return whole, err
		}
		if whole && !t.doors.mayReadWhole(t.site) {
			t.again(true, nil)
			return false, nil
		}
	}
	if whole {
		err = t.readWhole(ctx, a)
	}
	return whole, err
}

// due takes what is to be asked about.
func (t *talker) due(h Heartbeat) (whole bool, pairs map[federation.Pair]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	whole, pairs = t.whole, t.pairs
	t.whole, t.pairs = false, nil
	// A journal that has become shorter was restored from a backup.
	restored := h.Head < t.dirSeq
	t.later = t.later || restored || !t.wholeAt.IsZero() && time.Since(t.wholeAt) > readAll
	if t.later || whole {
		whole = t.doors.mayReadWhole(t.site) || whole
		t.later = !whole
	}
	return whole, pairs
}

// again has the next turn ask what this one could not.
func (t *talker) again(whole bool, pairs map[federation.Pair]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.later = t.later || whole
	t.whole = t.whole || len(pairs)+len(t.pairs) > maxAsked
	for p := range pairs {
		if t.pairs == nil {
			t.pairs = map[federation.Pair]bool{}
		}
		t.pairs[p] = true
	}
}

// readChanges asks what changed since the last time. It reports whether that is
// not known there, or too much.
func (t *talker) readChanges(ctx context.Context, a federation.SiteAssociation) (whole bool, err error) {
	page, err := t.askOrgs(ctx, a, OrgQuery{Since: t.dirSeq, Limit: 1})
	if err != nil || page.Whole {
		return true, err
	}
	if err := t.learn(ctx, a, page.Pairs); err != nil {
		return false, err
	}
	t.dirSeq = page.Seq
	return false, nil
}

func (t *talker) readPairs(ctx context.Context, a federation.SiteAssociation, pairs map[federation.Pair]bool) error {
	if len(pairs) == 0 {
		return nil
	}
	var theirs []federation.Pair
	for p := range pairs {
		theirs = append(theirs, federation.Pair{Local: p.Remote, Remote: p.Local})
	}
	page, err := t.askOrgs(ctx, a, OrgQuery{Pairs: theirs})
	if err != nil {
		return err
	}
	return t.learn(ctx, a, page.Pairs)
}

// learn compares what a site says of pairs with what we hold of them.
func (t *talker) learn(ctx context.Context, a federation.SiteAssociation, said []PairState) error {
	var changes []change
	err := t.Store.View(ctx, func(r federation.Reader) error {
		changes = nil
		for _, p := range said {
			held, err := r.OrgAssociation(p.With, tenants.LocationID{Org: p.Org, Site: a.Site})
			if problem.Has(err, problem.NotFound) {
				continue // theirs alone: nothing of ours to change
			}
			if err != nil {
				return err
			}
			if c, differs := newChange(ownOf(held), p); differs {
				changes = append(changes, c)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.write(ctx, a.Site, changes)
}

// readWhole compares the site's whole directory with all that we hold with it.
// What takes memory is ours, whatever is said.
func (t *talker) readWhole(ctx context.Context, a federation.SiteAssociation) error {
	ctx, cancel := context.WithTimeout(ctx, wholeTimeout)
	defer cancel()
	held, err := t.ownPairs(ctx)
	if err != nil {
		return err
	}
	var changes []change
	seq, err := t.eachPair(ctx, a, func(p PairState) {
		own, ok := held[federation.Pair{Local: p.With, Remote: p.Org}]
		if !ok || !p.Held {
			return
		}
		delete(held, federation.Pair{Local: p.With, Remote: p.Org})
		if c, differs := newChange(own, p); differs {
			changes = append(changes, c)
		}
	})
	if err != nil {
		return err
	}
	for pair, own := range held { // not one word of these
		if c, differs := newChange(own, PairState{Org: pair.Remote, With: pair.Local}); differs {
			changes = append(changes, c)
		}
	}
	if err := t.write(ctx, a.Site, changes); err != nil {
		return err
	}
	t.dirSeq, t.wholeAt = seq, time.Now()
	return nil
}

// eachPair pages through a directory, and says up to which of the site's
// sequences it is complete.
func (t *talker) eachPair(ctx context.Context, a federation.SiteAssociation, see func(PairState)) (seq int64, err error) {
	var after Place
	refused := 0
	for pages := range maxPages {
		page, err := t.askPage(ctx, a, after, &refused)
		if err != nil {
			return 0, err
		}
		if pages == 0 {
			seq = page.Seq // what changes while we read comes after it
		}
		for _, p := range page.Pairs {
			see(p)
		}
		if !page.Whole || page.More && len(page.Pairs) == 0 {
			return 0, malformed("a page of the directory is none")
		}
		if !page.More {
			return seq, nil
		}
		after = page.Pairs[len(page.Pairs)-1].place()
	}
	return 0, errors.New("the directory of the site has no end")
}

// askPage asks for one page until it comes: what was read before stays read.
func (t *talker) askPage(ctx context.Context, a federation.SiteAssociation, after Place, refused *int) (OrgPage, error) {
	for {
		page, err := t.askOrgs(ctx, a, OrgQuery{After: after, Limit: maxPairs})
		var no *refusedError
		if !errors.As(err, &no) || no.status != http.StatusTooManyRequests {
			return page, err
		}
		if *refused++; *refused > maxSlower || !pause.For(ctx, min(max(no.after, slower), slowest)) {
			return OrgPage{}, err
		}
	}
}

func (t *talker) ownPairs(ctx context.Context) (map[federation.Pair]own, error) {
	held := map[federation.Pair]own{}
	var after federation.Pair
	for {
		var list []federation.OrgAssociation
		err := t.Store.View(ctx, func(r federation.Reader) (err error) {
			list, err = r.AssociatedWith(t.site, after, maxPairs)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			after = federation.Pair{Local: a.Local, Remote: a.Remote}
			held[after] = ownOf(a)
		}
		if len(list) < maxPairs {
			return held, nil
		}
	}
}

func (s *Service) askOrgs(ctx context.Context, a federation.SiteAssociation, q OrgQuery) (OrgPage, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	body, err := s.ask(ctx, a, http.MethodGet, OrgsPath, q.values(), nil)
	if err != nil {
		return OrgPage{}, err
	}
	return ParseOrgPage(body)
}

func (q OrgQuery) values() url.Values {
	v := url.Values{}
	if q.Since > 0 {
		v.Set("since", strconv.FormatInt(q.Since, 10))
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.After != (Place{}) {
		v.Set("after", pairText(q.After))
	}
	for _, p := range q.Pairs {
		v.Add("pair", pairText(p))
	}
	return v
}

func pairText(p federation.Pair) string { return string(p.Local) + "," + string(p.Remote) }

// ParseOrgQuery reads what a site asks.
func ParseOrgQuery(v url.Values) (q OrgQuery, err error) {
	if q.Since, err = number(v, "since"); err != nil {
		return OrgQuery{}, err
	}
	limit, err := number(v, "limit")
	if err != nil {
		return OrgQuery{}, err
	}
	if q.Limit = maxPairs; limit > 0 {
		q.Limit = int(min(limit, maxPairs))
	}
	if after := v.Get("after"); after != "" {
		if q.After, err = parsePair(after); err != nil {
			return OrgQuery{}, err
		}
	}
	if len(v["pair"]) > maxAsked {
		return OrgQuery{}, malformed("too many pairs")
	}
	for _, text := range slices.Compact(slices.Sorted(slices.Values(v["pair"]))) {
		p, err := parsePair(text)
		if err != nil {
			return OrgQuery{}, err
		}
		q.Pairs = append(q.Pairs, p)
	}
	return q, nil
}

func parsePair(text string) (p federation.Pair, err error) {
	local, remote, _ := strings.Cut(text, ",")
	p = federation.Pair{Local: tenants.OrgID(local), Remote: tenants.OrgID(remote)}
	return p, canonical(&p.Local, &p.Remote)
}

// number is a query parameter that is not negative; absent is 0.
func number(v url.Values, name string) (int64, error) {
	text := v.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, malformed(name + " is no number")
	}
	return n, nil
}
