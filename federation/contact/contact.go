package contact

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"causeway/federation"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

// Peers is the way to other sites, and what is remembered of associations.
type Peers interface {
	// Association is what is held about a site now; problem.NotFound.
	Association(ctx context.Context, site tenants.SiteID) (federation.SiteAssociation, error)
	// Shares reports whether a local organization is associated with one of a site.
	Shares(ctx context.Context, local tenants.OrgID, site tenants.SiteID) (bool, error)
	// Call sends a request to the site of an association, whose URL has a path only.
	Call(a federation.SiteAssociation, r *http.Request) (*http.Response, error)
}

// Journal is the cell's own view of it.
type Journal interface {
	// Fresh is false while what is remembered may be untrue.
	Fresh() bool
	// Applied is the sequence up to which everything is known.
	Applied() int64
	// WaitFor returns when seq is known, and gives up after a while.
	WaitFor(ctx context.Context, seq int64) error
}

// Config wires a Service.
type Config struct {
	Store   federation.Store
	Leases  upkeep.Leases
	Peers   Peers
	Journal Journal
	Self    func() federation.Self
	API     Range
	// BundleSeq is the sequence of this site's bundle. NewBundle is told of one
	// that a site has, which may be newer than what is known of it; it must not
	// block. Both may be nil.
	BundleSeq func() uint64
	NewBundle func(site tenants.SiteID, seq uint64)
	Forget    federation.Forgetter // may be nil
	Holder    func() string        // this cell
	Every     time.Duration        // between two heartbeats to a site, a fifth more or less
	// Wait is how long a question for revocations is held open.
	Wait time.Duration
	Now  func() time.Time
	Log  *slog.Logger
}

// Service makes contact with the associated sites and answers theirs.
type Service struct {
	Config
	ended  *recent[federation.Revocation]
	shown  *recent[touched]
	doors  doors
	leave  chan struct{} // closed when held questions are to be answered now
	leaves sync.Once

	due     chan struct{}       // the associations are to be read again
	direct  chan struct{}       // so are those whose revocations are followed
	errands chan tenants.SiteID // sites to contact once, where another cell holds the lease

	mu      sync.Mutex
	crew    map[tenants.SiteID]*talker // empty unless this cell makes contact
	known   map[tenants.SiteID]*Peer
	pending map[tenants.SiteID]*errand // that wait or are under way
}

// New makes a Service. It is a follower of the journal, and does nothing by itself
// before Run.
func New(c Config) *Service {
	s := &Service{
		Config: c, leave: make(chan struct{}), due: make(chan struct{}, 1), direct: make(chan struct{}, 1),
		errands: make(chan tenants.SiteID, maxErrands), crew: map[tenants.SiteID]*talker{}, known: map[tenants.SiteID]*Peer{},
		pending: map[tenants.SiteID]*errand{},
	}
	if s.Every <= 0 {
		s.Every = 10 * time.Second
	}
	if s.Wait <= 0 {
		s.Wait = 20 * time.Second
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.ended = newRecent[federation.Revocation](maxRemembered, c.Journal.Applied)
	s.shown = newRecent[touched](maxRemembered, c.Journal.Applied)
	return s
}

// maxRemembered is how many revocations, and changes of organizations, a peer may
// be behind before it has to begin anew.
const maxRemembered = 4096

// Leave answers the questions that are held open, and those that come after.
// A server that ends would wait for them.
func (s *Service) Leave() { s.leaves.Do(func() { close(s.leave) }) }

// Run makes contact until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { s.lead(ctx) })
	work.Go(func() { s.runErrands(ctx) })
	work.Go(func() { s.followAll(ctx) })
	work.Wait()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is on its way
	}
}
