package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/cache"
	"causeway/internal/http1"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// Config wires a Proxy.
type Config struct {
	Table *Table         // of configured services; nil is none
	Store services.Store // of the instances of organizations; nil is none
	Own   []string       // hosts of the site itself, which no instance can have
	Rules services.AddressRules
	// Sign makes what an instance can verify of an identity; nil makes none.
	Sign func(ctx context.Context, claims any) (string, error)
	// Issuer is the iss of what is signed.
	Issuer string
	Site   tenants.SiteID
	Now    func() time.Time // nil is time.Now
	// Reach is how an upstream is reached; nil is by a transport of ours.
	Reach func(*url.URL) http.RoundTripper
}

// Proxy finds instances and hands requests to them. It changes no body and streams
// both ways.
type Proxy struct {
	table  *Table
	store  services.Store
	own    []string
	rules  services.AddressRules
	sign   func(ctx context.Context, claims any) (string, error)
	issuer string
	site   tenants.SiteID
	now    func() time.Time
	reach  func(*url.URL) http.RoundTripper

	transports transports
	exchanges  sync.Pool
	assertions *cache.Cache[assertionKey, assertion]
	counts     counts

	// The table of the organizations' instances, see routes.
	current atomic.Pointer[routes]
	read    *cache.Cache[struct{}, *routes]
	changed chan struct{}
	loads   atomic.Int64
	mu      sync.Mutex
	changes uint64

	pooling sync.Mutex
	pools   map[services.InstanceID]*pool
	pooled  uint64 // the change before which pools were read

	life     context.Context // of checks and of the reading ahead
	end      context.CancelFunc
	checks   sync.WaitGroup
	closing  sync.RWMutex
	closed   bool
	slow     bool // everything by httputil.ReverseProxy
	checking chan struct{}
}

// New makes a Proxy. Start lets it read ahead and ask its upstreams how they are.
func New(c Config) (*Proxy, error) {
	p := &Proxy{
		table: c.Table, store: c.Store, own: c.Own, rules: c.Rules, sign: c.Sign, issuer: c.Issuer, site: c.Site, now: c.Now, reach: c.Reach,
		transports: transports{rules: c.Rules}, changed: make(chan struct{}, 1), checking: make(chan struct{}, checksAtOnce),
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.table == nil {
		p.table = &Table{}
	}
	var err error
	if p.read, err = cache.New[struct{}, *routes](1); err != nil {
		return nil, err
	}
	if p.assertions, err = cache.New[assertionKey, assertion](assertionsKept); err != nil {
		return nil, err
	}
	p.life, p.end = context.WithCancel(context.Background())
	for i := range p.table.instances {
		p.table.instances[i].pool = p.configured(&p.table.instances[i])
	}
	return p, nil
}

// Start reads the table, and again after each change, so that upstreams are asked
// how they are although nobody calls them.
func (p *Proxy) Start() {
	if p.store == nil || !p.beginWork() {
		return
	}
	go func() {
		defer p.checks.Done()
		for {
			_, _ = p.routes(p.life) // who needs it sees the error
			select {
			case <-p.life.Done():
				return
			case <-p.changed:
			}
		}
	}()
}

// Close ends what Start began, and drops idle connections. Requests under way go on.
func (p *Proxy) Close() {
	p.closing.Lock()
	p.closed = true
	p.closing.Unlock()
	p.end()
	p.each((*pool).stop)
	p.checks.Wait()
	p.transports.each((*http1.Transport).CloseIdleConnections)
}

func (p *Proxy) beginWork() bool {
	p.closing.RLock()
	defer p.closing.RUnlock()
	if p.closed {
		return false
	}
	p.checks.Add(1)
	return true
}

// beginCheck waits for its turn, first among those of the same instance.
func (p *Proxy) beginCheck(own chan struct{}) bool {
	if !p.beginWork() {
		return false
	}
	for i, slots := range [...]chan struct{}{own, p.checking} {
		select {
		case slots <- struct{}{}:
		case <-p.life.Done():
			if i > 0 {
				<-own
			}
			p.checks.Done()
			return false
		}
	}
	return true
}

func (p *Proxy) endCheck(own chan struct{}) {
	<-p.checking
	<-own
	p.checks.Done()
}

// unavailable says which instance did not answer, and never 502: VCD's clients
// throw its body away.
func unavailable(in *Instance, err error) error {
	var timeout net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), problem.As(err) != nil:
		return err
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return problem.Wrap(err, problem.GatewayTimeout, "The service "+in.Name+" did not answer in time.")
	}
	return problem.Wrap(err, problem.Unavailable, "The service "+in.Name+" cannot be reached.").After(5 * time.Second)
}
